"""When and how often people may be written to, and when a campaign stops itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

from interakt_jobs.ledger.recipient_numbers import REASONS

from .fields import Fields

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WINDOW = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\s*-\s*([01]\d|2[0-3]|24):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop when ``count`` recipients and ``share`` of those tried have failed, for ``reason`` or for any."""

    share: float
    count: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """``opens`` and ``closes`` are minutes of the recipient's day; over midnight, ``opens > closes``."""

    opens: int = 0
    closes: int = 1440
    quiet_weekdays: frozenset[int] = frozenset()
    quiet_dates: frozenset[date] = frozenset()
    per_person: int = 0
    per_person_days: int = 7
    stop: tuple[Stop, ...] = (Stop(0.2, 50),)

    @property
    def always_open(self) -> bool:
        return self.closes - self.opens == 1440 and not self.quiet_weekdays and not self.quiet_dates


@dataclass(frozen=True, slots=True)
class Schedule:
    """Nothing is sent before ``start`` or from ``end`` on."""

    start: datetime | None = None
    end: datetime | None = None


def read_rules(fields: Fields) -> Rules:
    """The ``[rules]`` table."""
    opens, closes = _window(fields)
    weekdays, dates = _quiet_days(fields)
    cap = fields.table("per_person")
    asked = bool(cap.names())
    messages = cap.integer("messages", 1, 1, 255) if asked else 0
    days = cap.integer("days", 7, 1, 90)
    cap.close()
    stops = (
        [_stop(entry) for entry in fields.tables("stop_when")] if fields.has("stop_when") else [Stop(0.2, 50)]
    )
    fields.close()
    return Rules(opens, closes, weekdays, dates, messages, days, tuple(stops))


def _stop(entry: Fields) -> Stop:
    made = Stop(entry.share("share", 0.2), entry.integer("count", 50, 1, 10**9), entry.text("reason"))
    if made.reason and made.reason not in REASONS:
        entry.wrong("reason", f"must be one of {', '.join(REASONS)}")
    entry.close()
    return made


def _window(fields: Fields) -> tuple[int, int]:
    text = fields.text("window", "00:00-24:00")
    found = _WINDOW.fullmatch(text)
    opens, closes = (
        (int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])) if found else (0, 1440)
    )
    if not found or closes > 1440 or opens == closes:
        fields.wrong("window", "must look like 09:00-21:00")
        return 0, 1440
    return opens, closes


def _quiet_days(fields: Fields) -> tuple[frozenset[int], frozenset[date]]:
    given = fields.take("quiet_days") or []
    weekdays, dates = set(), set()
    if not isinstance(given, list) or len(given) > 400:
        fields.wrong("quiet_days", "must be a list of weekdays and dates, at most 400")
        given = []
    for at, day in enumerate(given):
        if isinstance(day, str) and day.lower() in WEEKDAYS:
            weekdays.add(WEEKDAYS.index(day.lower()))
            continue
        try:
            dates.add(
                day if isinstance(day, date) and not isinstance(day, datetime) else date.fromisoformat(day)
            )
        except (TypeError, ValueError):
            fields.wrong(
                f"quiet_days[{at}]", "must be a weekday such as sunday, or a date such as 2026-11-08"
            )
    if len(weekdays) == 7:
        fields.wrong("quiet_days", "every day of the week is quiet: nothing could ever be sent")
    return frozenset(weekdays), frozenset(dates)


def read_schedule(fields: Fields) -> Schedule:
    """The ``[schedule]`` table."""
    made = Schedule(fields.moment("start"), fields.moment("end"))
    if made.start and made.end and made.end <= made.start:
        fields.wrong("end", "must be after the start")
    fields.close()
    return made
