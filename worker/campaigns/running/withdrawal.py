"""Taking back what a paused, cancelled or ended campaign has not sent."""

from __future__ import annotations

from worker.campaigns.reasons import REASONS
from worker.campaigns.store.scripts import load
from worker.campaigns.store.store import CampaignStore

WITHDRAW, CLOSE = load("withdraw"), load("close")
CHUNK = 50


def withdraw(store: CampaignStore) -> int:
    """Give enqueued jobs that have not been started back to the plan; returns how many.

    Of a cancelled campaign they become ``cancelled``. Those that may have been sent keep waiting for what comes of it.
    """
    enqueued = [int(member) for member in store.link.command("SMEMBERS", store.key("enqueued"))]
    return sum(
        int(store.link.run(WITHDRAW, store.keys, store.campaign, *enqueued[at : at + CHUNK]))
        for at in range(0, len(enqueued), CHUNK)
    )


def close(store: CampaignStore, state: str, reason: str) -> int:
    """Turn everybody who is still planned into ``state`` (``cancelled`` or ``skipped``); returns how many."""
    number = REASONS[reason] if reason else 0
    return sum(
        int(store.link.run(CLOSE, store.keys, store.campaign, block, state, number))
        for block, left in store.left().items()
        if left
    )
