"""Does a lane stand still: work is due, the allowance is free, and nothing of it goes out?"""

from __future__ import annotations

from typing import Any

from interakt_jobs.ledger.constants import LANES
from interakt_jobs.ledger.keys import prefix
from interakt_jobs.ledger.redis_client import RedisClient, milliseconds


def standing(link: RedisClient, account: str, stale_ms: int) -> list[str]:
    """The lanes in which work has been due for so long, although none was sent meanwhile and it might have been."""
    own = prefix(account)
    commands: list[list[Any]] = [
        ["TIME"],
        ["HMGET", f"{own}state", "paused_until", "breaker", "lost_at"],
        ["HMGET", f"{own}bud", "tat", *(f"tat_{lane}" for lane in LANES)],
    ]
    for lane in LANES:
        commands += [["ZRANGE", f"{own}ready:{lane}", 0, 0, "WITHSCORES"], ["ZCARD", f"{own}run:{lane}"]]
    clock, (paused, breaker, lost), (free, *lasts), *found = link.pipeline(commands)
    now = milliseconds(clock)
    if int(paused or 0) > now or breaker == b"open" or float(free or 0) > now * 1000:
        return []
    old = now - stale_ms
    still = []
    for lane, last, head, running in zip(LANES, lasts, found[::2], found[1::2], strict=True):
        # a lane's own time is never before its last call
        due = head and float(head[1]) < old and float(last or 0) < old * 1000
        if due and not running and not (lost and lane == "bulk"):
            still.append(lane)
    return still
