"""A new round: exactly the recipients with some outcome become planned again.

A round is opened block by block. Meanwhile the meta field ``opening`` says ``<round>|<states>``: a round that a crash
cut off is gone through again, and whoever is in it already is left alone, whatever has become of them.
"""

from __future__ import annotations

import json

from interakt_jobs.recipient import recipient_hash

from .definition import read
from .errors import CampaignError
from .scripts import load
from .slots import LAST_ROUND
from .store import CampaignStore

BEGIN, BLOCK, END = load("round_begin"), load("round_block"), load("round_end")
FAILED, UNKNOWN, NOT_DELIVERED = ("failed", "dead"), ("unknown",), ("failed", "dead", "accepted", "sent")


def open_round(
    store: CampaignStore, *, failed: bool = False, unknown: bool = False, not_delivered: bool = False
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
    meta = store.meta()
    end = read(json.loads(meta["definition"])).schedule.end if "definition" in meta else None
    answer = [
        part.decode()
        for part in store.link.run(
            BEGIN,
            store.keys,
            store.campaign,
            "|".join(states),
            LAST_ROUND,
            int(end.timestamp() * 1000) if end else 0,
        )
    ]
    if answer[0] != "open":
        raise CampaignError({"": f"campaign {store.campaign}: {answer[0]}"})
    number, opening = answer[1], answer[2].split("|")
    capped = bool(read(json.loads(meta["definition"])).rules.per_person)
    for block in range(int(meta.get("blocks", "0"))):
        people = [recipient_hash(person.digits) for person in store.block(block)] if capped else []
        store.link.run(BLOCK, store.keys, store.campaign, block, number, ",".join(opening), *people)
    opened = int(store.link.run(END, store.keys, store.campaign, number, json.dumps(store.counts())))
    if opening != states:  # it was another round that a crash had cut off: now the one that was asked for
        return open_round(store, failed=failed, unknown=unknown, not_delivered=not_delivered)
    return opened
