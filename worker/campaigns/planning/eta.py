"""When a campaign will be done: its people by time zone, their windows, and the budget."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from .windows import Windows

_MOST_STEPS = 20_000


def finishing_time(
    now: datetime,
    zones: Mapping[str, int],
    windows: Windows,
    calls_per_minute: float,
    end: datetime | None = None,
) -> tuple[datetime | None, int]:
    """When the last message goes out and how many do not before ``end``; None: never, with how many are left.

    Between two changes of any window, the open zones use the whole budget, those that close first go first.
    """
    now = now.astimezone(UTC)
    left = {zone: float(count) for zone, count in zones.items() if count > 0}
    per_second = calls_per_minute / 60
    if per_second <= 0:
        return None, round(sum(left.values()))
    for _ in range(_MOST_STEPS):
        if not left:
            return now, 0
        if end and now >= end:
            return end.astimezone(UTC), round(sum(left.values()))
        spans = {zone: windows.span(now, zone) for zone in left}
        changes = [span.until for span in spans.values() if span.until]
        limit = min([*changes, *([end.astimezone(UTC)] if end else [])], default=None)
        is_open = sorted(
            (zone for zone in left if spans[zone].open),
            key=lambda zone: spans[zone].until or datetime.max.replace(tzinfo=UTC),
        )
        room = (limit - now).total_seconds() * per_second if limit else float("inf")
        for zone in is_open:
            sent = min(left[zone], room)
            room -= sent
            left[zone] -= sent
            now += timedelta(seconds=sent / per_second)
            if left[zone] < 0.5:
                del left[zone]
        if limit is None and left and not is_open:
            break
        if limit and left:
            now = max(now, limit)
    return None, round(sum(left.values()))
