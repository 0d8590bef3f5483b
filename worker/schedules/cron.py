"""Cron in a time zone. cronsim reads the fields and finds the days; what happens when the clocks change is decided here.

A slot that a spring change leaves out runs as much later as the clocks jump (02:30 becomes 03:30; cronsim would run it at
03:00). One that an autumn change repeats runs the first time only, unless the schedule runs in every hour: then it goes on
through both.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

_DAY, _SECOND = timedelta(days=1), timedelta(seconds=1)
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
    fields: str

    def after(self, moment: int) -> int | None:
        """The first slot later than ``moment``; None when there is none within fifty years."""
        midnight = _midnight(moment, self.zone) - _DAY
        while wall := next(CronSim(self.fields, midnight - _SECOND), None):
            for slot in _slots(self, wall.date()):
                if slot > moment:
                    return slot
            midnight = datetime.combine(wall, time()) + _DAY
        return None

    def latest(self, until: int, since: int) -> int | None:
        """The last slot later than ``since``, and not later than ``until``."""
        midnight, first = _midnight(until, self.zone) + 2 * _DAY, _midnight(since, self.zone) - _DAY
        while (wall := next(CronSim(self.fields, midnight, reverse=True), None)) and wall >= first:
            for slot in reversed(_slots(self, wall.date())):
                if since < slot <= until:
                    return slot
            midnight = datetime.combine(wall, time())
        return None


def cron(text: str, zone: ZoneInfo) -> Cron:
    """Read ``minute hour day month weekday``, or ``@daily`` and the like; raises ``ValueError``."""
    fields = _WORDS.get(text.strip().lower(), text)
    if len(fields.split()) != 5:
        raise ValueError("must be five fields: minute hour day month weekday, such as 0 9 * * mon-fri")
    try:
        CronSim(fields, datetime(2024, 1, 1))
    except CronSimError as error:
        name = str(error).removeprefix("Bad ")
        raise ValueError(f"the {name} cannot be read, or never comes: use 5, 1-5, */2 or a list") from None
    return Cron(" ".join(text.split()), zone, fields)


def _midnight(moment: int, zone: ZoneInfo) -> datetime:
    return datetime.combine(datetime.fromtimestamp(moment, zone), time())


@lru_cache(maxsize=1024)
def _slots(cron: Cron, day: date) -> tuple[int, ...]:
    """The slots of a day by the wall clock, in their order."""
    midnight = datetime.combine(day, time())
    walls = list(takewhile(lambda wall: wall.date() == day, CronSim(cron.fields, midnight - _SECOND)))
    every_hour = len({wall.hour for wall in walls}) == 24
    found = set()
    for wall in walls:
        local = wall.replace(tzinfo=cron.zone)
        first = local.astimezone(UTC)
        is_there = first.astimezone(cron.zone).replace(tzinfo=None) == wall
        if is_there or not every_hour:
            found.add(int(first.timestamp()))
        if is_there and every_hour:
            found.add(int(local.replace(fold=1).timestamp()))
    return tuple(sorted(found))
