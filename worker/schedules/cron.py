"""Cron in a time zone: five fields, and what happens to a slot when the clocks change.

A slot that a spring change leaves out runs as much later as the clocks jump (02:30 becomes 03:30). One that an autumn change
repeats runs the first time only, unless the schedule runs in every hour: then it goes on through both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_PART = re.compile(r"(?:(\*)|([a-z]{3}|\d{1,2})(?:-([a-z]{3}|\d{1,2}))?)(?:/(\d{1,2}))?", re.ASCII)
_MONTHS = {name: at for at, name in enumerate(("jan", "feb", "mar", "apr", "may", "jun"), 1)} | {
    name: at for at, name in enumerate(("jul", "aug", "sep", "oct", "nov", "dec"), 7)
}
_WEEKDAYS = {name: at for at, name in enumerate(["sun", "mon", "tue", "wed", "thu", "fri", "sat"])}
_DAY = timedelta(days=1)
_MOST_DAYS = 366 * 9  # the 29th of February may be eight years away
_WORDS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}


@dataclass(frozen=True, slots=True)
class Cron:
    """Slots are seconds since the epoch. Of day and weekday, both restricted, either is enough, as in cron."""

    text: str
    zone: ZoneInfo
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool

    def after(self, moment: int) -> int | None:
        """The first slot later than ``moment``; None when there is none within nine years."""
        day = _local(moment, self.zone) - _DAY
        for _ in range(_MOST_DAYS):
            for slot in self.on(day):
                if slot > moment:
                    return slot
            day += _DAY
        return None

    def latest(self, until: int, since: int) -> int | None:
        """The last slot later than ``since``, and not later than ``until``."""
        day, first = _local(until, self.zone) + _DAY, _local(since, self.zone) - _DAY
        while day >= first:
            for slot in reversed(self.on(day)):
                if since < slot <= until:
                    return slot
            day -= _DAY
        return None

    def on(self, day: date) -> tuple[int, ...]:
        """The slots of a day by the wall clock, in their order."""
        return _slots(self, day) if self._runs_on(day) else ()

    def _runs_on(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        monthday, weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return monthday or weekday if self.either else monthday and weekday


def cron(text: str, zone: ZoneInfo) -> Cron:
    """Read ``minute hour day month weekday``, or ``@daily`` and the like; raises ``ValueError``."""
    fields = _WORDS.get(text.strip().lower(), text.lower()).split()
    if len(fields) != 5:
        raise ValueError("must be five fields: minute hour day month weekday, such as 0 9 * * mon-fri")
    made = Cron(
        text=" ".join(text.split()),
        zone=zone,
        minutes=tuple(sorted(_field("minute", fields[0], 0, 59))),
        hours=tuple(sorted(_field("hour", fields[1], 0, 23))),
        days=frozenset(_field("day", fields[2], 1, 31)),
        months=frozenset(_field("month", fields[3], 1, 12, _MONTHS)),
        weekdays=frozenset(day % 7 for day in _field("weekday", fields[4], 0, 7, _WEEKDAYS)),
        either=not (fields[2].startswith("*") or fields[4].startswith("*")),
    )
    if made.after(int(datetime(2024, 1, 1, tzinfo=UTC).timestamp())) is None:
        raise ValueError("no day is ever like this")
    return made


def _field(what: str, text: str, least: int, most: int, names: dict[str, int] | None = None) -> Iterator[int]:
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if not match:
            raise ValueError(f"the {what} {part!r} is none: use 5, 1-5, */2 or a list of them")
        star, low, high, step = match.groups()
        every = int(step or 1)
        first = least if star else _number(what, low, names)
        last = _number(what, high, names) if high else most if star or step else first
        if star and what == "weekday":
            last = 6
        if not (least <= first <= last <= most and every):
            raise ValueError(f"the {what} {part!r} is outside {least} to {most}")
        yield from range(first, last + 1, every)


def _number(what: str, text: str, names: dict[str, int] | None) -> int:
    if text.isdigit():
        return int(text)
    if names is None or text not in names:
        raise ValueError(f"the {what} {text!r} is none")
    return names[text]


def _local(moment: int, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(moment, zone).date()


@lru_cache(maxsize=1024)
def _slots(cron: Cron, day: date) -> tuple[int, ...]:
    found = set()
    every_hour = len(cron.hours) == 24
    for hour in cron.hours:
        for minute in cron.minutes:
            wall = datetime.combine(day, time(hour, minute), cron.zone)
            first = wall.astimezone(UTC)
            is_there = first.astimezone(cron.zone).replace(tzinfo=None) == wall.replace(tzinfo=None)
            if is_there or not every_hour:
                found.add(int(first.timestamp()))
            if is_there and every_hour:
                found.add(int(wall.replace(fold=1).timestamp()))
    return tuple(sorted(found))
