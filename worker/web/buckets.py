"""How durations are counted in Redis: a sum in ``<name>_ms|<label>``, and a field a bucket: ``<name>_le|<label>|<bound>``.

One observation adds to the sum and to the one bucket it falls in (``inf`` above the last bound); what Prometheus
wants, each bucket with all below it, is made when it is scraped.
"""

from __future__ import annotations

from collections.abc import Mapping

from interakt_jobs.ledger.constants import BOUNDS


def cumulative(name: str, label: str, counts: Mapping[str, int]) -> list[tuple[str, float]]:
    """Prometheus' buckets: the bound in seconds, and how many were at most that long."""
    total = 0
    found: list[tuple[str, float]] = []
    for bound in BOUNDS[name]:
        total += counts.get(f"{name}_le|{label}|{bound}", 0)
        found.append((str(bound / 1000), total))
    return [*found, ("+Inf", total + counts.get(f"{name}_le|{label}|inf", 0))]
