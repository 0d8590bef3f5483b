"""What Lua adds to an account's counters for one observation of a duration."""

from __future__ import annotations

from bisect import bisect_left

from interakt_jobs.ledger.constants import BOUNDS


def observed(name: str, label: str, milliseconds: int) -> list[tuple[str, int]]:
    """Fields of the ``count`` hash, and numbers."""
    bounds = BOUNDS[name]
    place = bisect_left(bounds, milliseconds)
    bound = str(bounds[place]) if place < len(bounds) else "inf"
    return [(f"{name}_ms|{label}", max(0, milliseconds)), (f"{name}_le|{label}|{bound}", 1)]
