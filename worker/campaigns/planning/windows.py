"""When recipients may be written to, by their local time, and when a campaign will be done.

The window is open at a moment when, in each of the recipient's zones, the local time lies in the window and
the local date is not quiet. So an hour that a spring change leaves out is not waited for, and one that an
autumn change repeats is judged both times by what the clock shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from worker.campaigns.definition.rules import Rules
from worker.campaigns.recipients.zones import zone_info

_DAY = timedelta(days=1)
FARTHEST_DAYS = 400
_SHARED_DAYS = 15
_MOST_STEPS = 20_000


class Span(NamedTuple):
    """Whether a window is open, and the moment (UTC) at which that ends; None: not within 400 days."""

    open: bool
    until: datetime | None


class Windows:
    """The windows of one campaign's rules. Answers are remembered per zone, so a million cost little."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._spans: dict[str, tuple[datetime, Span]] = {}
        self._zones: dict[str, tuple[ZoneInfo, ...]] = {}

    def span(self, now: datetime, zone: str) -> Span:
        """Open or closed at ``now`` (aware) in ``zone`` (names joined by ``|``), and until when."""
        if self.rules.always_open:
            return Span(True, None)
        now = now.astimezone(UTC)
        known = self._spans.get(zone)
        if known and known[0] <= now and (known[1].until is None or now < known[1].until):
            return known[1]
        zones = self._zones_of(zone, now)
        found = Span(self._is_open(now, zones), self._next_change(now, zones))
        self._spans[zone] = now, found
        return found

    def next_open(self, now: datetime, zone: str) -> datetime | None:
        """``now`` when the window is open, else the moment (UTC) it opens; None: not within 400 days."""
        found = self.span(now, zone)
        return now.astimezone(UTC) if found.open else found.until

    def _zones_of(self, zone: str, now: datetime) -> tuple[ZoneInfo, ...]:
        """The zones to satisfy together; where their windows never meet, the middle one alone."""
        if zone not in self._zones:
            zones = tuple(found for name in zone.split("|") if (found := zone_info(name))) or (
                ZoneInfo("UTC"),
            )
            if (
                len(zones) > 1
                and not self._is_open(now, zones)
                and not self._next_change(now, zones, _SHARED_DAYS)
            ):
                ordered = sorted(zones, key=lambda info: now.astimezone(info).utcoffset() or timedelta())
                zones = (ordered[len(ordered) // 2],)
            self._zones[zone] = zones
        return self._zones[zone]

    def _is_open(self, moment: datetime, zones: tuple[ZoneInfo, ...]) -> bool:
        return all(self._is_open_by(moment.astimezone(zone)) for zone in zones)

    def _is_open_by(self, local: datetime) -> bool:
        rules, minute = self.rules, local.hour * 60 + local.minute
        if local.weekday() in rules.quiet_weekdays or local.date() in rules.quiet_dates:
            return False
        if rules.opens < rules.closes:
            return rules.opens <= minute < rules.closes
        return minute >= rules.opens or minute < rules.closes

    def _next_change(
        self, now: datetime, zones: tuple[ZoneInfo, ...], days: int = FARTHEST_DAYS
    ) -> datetime | None:
        was = self._is_open(now, zones)
        for begin in (now + _DAY * number for number in range(days)):
            found = {moment for zone in zones for moment in self._moments(zone, begin)}
            for moment in sorted(found):
                if self._is_open(moment, zones) != was:
                    return moment
        return None

    def _moments(self, zone: ZoneInfo, begin: datetime) -> Iterator[datetime]:
        """The moments (UTC) in the 24 hours after ``begin`` at which the window can open or close."""
        end = begin + _DAY
        day, last = begin.astimezone(zone).date() - _DAY, end.astimezone(zone).date() + _DAY
        while (day := day + _DAY) < last:
            for minutes in (0, self.rules.opens, self.rules.closes % 1440):
                wall = datetime.combine(day, time(minutes // 60, minutes % 60), zone)
                for moment in {wall.astimezone(UTC), wall.replace(fold=1).astimezone(UTC)}:
                    if begin < moment <= end:
                        yield moment
        for shift in (_clock_change(zone, begin.date()), _clock_change(zone, end.date())):
            if shift and begin < shift <= end:
                yield shift


@lru_cache(maxsize=4096)
def _clock_change(zone: ZoneInfo, day: date) -> datetime | None:
    """The moment in a day (UTC) at which the zone's offset changes, to the second."""
    low = datetime.combine(day, time(), UTC)
    high = low + _DAY
    before = low.astimezone(zone).utcoffset()
    if high.astimezone(zone).utcoffset() == before:
        return None
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low).total_seconds() // 2)
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high


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
