"""How durations are counted in Redis: a sum in ``<name>_ms|<label>``, and a field a bucket: ``<name>_le|<label>|<bound>``.

One observation adds to the sum and to the one bucket it falls in (``inf`` above the last bound); what Prometheus
wants, each bucket with all below it, is made when it is scraped.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping

WAIT = (50, 250, 1_000, 5_000, 15_000, 60_000, 300_000, 1_800_000, 7_200_000, 86_400_000)
CALL = (50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 20_000)
RECEIPT = (1_000, 5_000, 15_000, 60_000, 300_000, 1_800_000, 7_200_000, 86_400_000)
BOUNDS = {"wait": WAIT, "call": CALL, "receipt": RECEIPT}


def observed(name: str, label: str, milliseconds: int) -> list[tuple[str, int]]:
    """What one observation adds to the account's ``count`` hash: fields and numbers."""
    bounds = BOUNDS[name]
    place = bisect_left(bounds, milliseconds)
    bound = str(bounds[place]) if place < len(bounds) else "inf"
    return [(f"{name}_ms|{label}", max(0, milliseconds)), (f"{name}_le|{label}|{bound}", 1)]


def cumulative(name: str, label: str, counts: Mapping[str, int]) -> list[tuple[str, float]]:
    """Prometheus' buckets: the bound in seconds, and how many were at most that long."""
    total = 0
    found: list[tuple[str, float]] = []
    for bound in BOUNDS[name]:
        total += counts.get(f"{name}_le|{label}|{bound}", 0)
        found.append((str(bound / 1000), total))
    return [*found, ("+Inf", total + counts.get(f"{name}_le|{label}|inf", 0))]
