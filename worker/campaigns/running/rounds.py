"""A new round: exactly the recipients with some outcome become planned again.

A round is opened block by block. Meanwhile the meta field ``opening`` says ``<round>|<states>``: a round that a crash
cut off is gone through again, and whoever is in it already is left alone, whatever has become of them.
"""

from __future__ import annotations

import json

from interakt_jobs.recipient import recipient_hash
from worker.campaigns.definition.definition import read
from worker.campaigns.errors import CampaignError
from worker.campaigns.store.recipient_state import LAST_ROUND
from worker.campaigns.store.scripts import load
from worker.campaigns.store.store import CampaignStore

BEGIN, BLOCK, END = load("round_begin"), load("round_block"), load("round_end")
FAILED, UNKNOWN, NOT_DELIVERED = ("failed", "dead"), ("unknown",), ("failed", "dead", "accepted", "sent")


def open_round(
    store: CampaignStore,
    *,
    failed: bool = False,
    unknown: bool = False,
    not_delivered: bool = False,
    who: str = "",
) -> int:
    """Open a round of those recipients; returns how many are in it. See ``control.retry``."""
    states = sorted(
        {
            *(FAILED if failed else ()),
            *(UNKNOWN if unknown else ()),
            *(NOT_DELIVERED if not_delivered else ()),
        }
    )
    if not states:
        raise CampaignError({"": "say whom to retry: failed, unknown or not_delivered"})
    asked = "|".join(states)
    opened, opening = _open(store, asked, who)
    # it may have been another round that a crash had cut off: now the one that was asked for
    return opened if opening in ("", asked) else _open(store, asked, who)[0]


def go_on(store: CampaignStore) -> None:
    """Finish the round that a crash has cut off, if there is one."""
    opening = store.meta().get("opening", "")
    if opening:
        number, _, states = opening.partition("|")
        _fill(store, number, states)


def _open(store: CampaignStore, states: str, who: str) -> tuple[int, str]:
    """How many are in the round, and the states that it is for; empty when it is for nobody and was not opened."""
    end = store.definition().schedule.end
    end_ms = int(end.timestamp() * 1000) if end else 0
    answer = store.link.run(BEGIN, store.keys, store.campaign, states, LAST_ROUND, end_ms, who)
    if answer[0] == b"nobody":
        return 0, ""
    if answer[0] != b"open":
        raise CampaignError({"": f"campaign {store.campaign}: {answer[0].decode()}"})
    number, opening = answer[1].decode(), answer[2].decode()
    return _fill(store, number, opening), opening


def _fill(store: CampaignStore, number: str, states: str) -> int:
    meta = store.meta()
    capped = bool(read(json.loads(meta["definition"])).rules.per_person)
    for block in range(int(meta["blocks"])):
        people = [recipient_hash(person.digits) for person in store.block(block)] if capped else []
        store.link.run(BLOCK, store.keys, store.campaign, block, number, states, *people)
    return int(store.link.run(END, store.keys, store.campaign, number, json.dumps(store.counts())))
