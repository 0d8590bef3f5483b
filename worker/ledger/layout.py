"""Redis data of the releases before 1.0, whose keys had no partition: recognised and never mixed with today's."""

from __future__ import annotations

import contextlib

from interakt_jobs.errors import LedgerRefused
from interakt_jobs.ledger.redis_client import RedisClient

OLD_KEY = "ij1:accounts"
DRAIN = (
    "run the earlier release until its `python -m worker status` shows no job, then delete its keys "
    "(redis-cli --scan --pattern 'ij1:*' | xargs redis-cli unlink), or use another database"
)


def has_old_data(link: RedisClient) -> bool:
    """Whether this Redis holds the earlier layout's accounts. A user that may not read such keys has none."""
    with contextlib.suppress(LedgerRefused):
        return bool(link.command("EXISTS", OLD_KEY))
    return False


def refuse_old_data(link: RedisClient) -> None:
    """Raise ``SystemExit`` with the way to drain it, where this Redis holds data of the earlier layout."""
    if has_old_data(link):
        raise SystemExit(f"this Redis holds jobs of an earlier release ({OLD_KEY}): {DRAIN}")
