"""Retry: the recipients with some outcome are planned again, in a new round.

A round is opened block by block; until it is whole, the meta field ``opening`` is ``<round>|<states>``. A round that a crash
cut off is opened again, and who is in it already stays as they are.
"""

from __future__ import annotations

import json

from interakt_jobs.ledger.redis_client import RedisClient
from interakt_jobs.recipient import recipient_hash
from worker.campaigns.definition.errors import CampaignError
from worker.campaigns.store.recipient_state import LAST_ROUND
from worker.campaigns.store.store import CampaignStore

FAILED, UNKNOWN, NOT_DELIVERED = ("failed", "dead"), ("unknown",), ("failed", "dead", "accepted", "sent")


def retry(
    link: RedisClient,
    account: str,
    campaign: str,
    *,
    failed: bool = False,
    unknown: bool = False,
    not_delivered: bool = False,
    who: str = "",
) -> int:
    """Open a new round of exactly those recipients; returns how many there are.

    ``failed`` is those whom Interakt or Meta refused (``failed`` and ``dead``); ``unknown`` those who may or may not have
    got it, and so may get it twice; ``not_delivered`` those without a receipt of delivery: ``failed``, ``dead``,
    ``accepted`` and ``sent``. The rules hold again: opt-out, frequency, windows, the end. A finished campaign runs
    again, a paused one stays paused. After a crash the same call goes on where it was, with the same round, block by
    block. Raises ``CampaignError`` when the campaign is planned or cancelled, when its end has passed, or after
    63 rounds.
    """
    chosen = ((failed, FAILED), (unknown, UNKNOWN), (not_delivered, NOT_DELIVERED))
    states = "|".join(sorted({state for wanted, group in chosen if wanted for state in group}))
    if not states:
        raise CampaignError({"": "say whom to retry: failed, unknown or not_delivered"})
    store = CampaignStore(link, account, campaign)
    opened, opening = _open(store, states, who)
    # another round that a crash cut off may have been opened first: now the one that was asked for
    return opened if opening in ("", states) else _open(store, states, who)[0]


def go_on(store: CampaignStore) -> None:
    """Finish the round that a crash has cut off, if there is one."""
    opening = store.meta().get("opening", "")
    if opening:
        number, _, states = opening.partition("|")
        _fill(store, number, states)


def _open(store: CampaignStore, states: str, who: str) -> tuple[int, str]:
    """How many are in the round, and its states joined by ``|``; an empty text if nobody has one and no round was opened."""
    end = store.definition().schedule.end
    end_ms = int(end.timestamp() * 1000) if end else 0
    answer = store.run("round_begin", states, LAST_ROUND, end_ms, who)
    if answer[0] == b"nobody":
        return 0, ""
    if answer[0] != b"open":
        raise CampaignError({"": f"campaign {store.campaign}: {answer[0].decode()}"})
    number, opening = answer[1].decode(), answer[2].decode()
    return _fill(store, number, opening), opening


def _fill(store: CampaignStore, number: str, states: str) -> int:
    capped = bool(store.definition().rules.per_person)
    for block in range(int(store.meta()["blocks"])):
        people = [recipient_hash(person.digits) for person in store.block(block)] if capped else []
        store.run("round_block", block, number, states, *people)
    return int(store.run("round_end", number, json.dumps(store.counts())))
