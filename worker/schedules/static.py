"""Schedules of a file (config/schedule.toml): Redis has exactly those that are in it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from .definition import Schedule, read
from .errors import NoSuchSchedule, Refused, ScheduleError
from .store import Schedules

DEFAULT = Path(__file__).resolve().parents[2] / "config" / "schedule.toml"


def load(path: Path | str | None = None) -> dict[str, Schedule]:
    """The schedules of a TOML file, a table each; raises ``ScheduleError`` with every mistake."""
    path = Path(path or DEFAULT)
    try:
        tables = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise ScheduleError({str(path): error.strerror or "cannot be read"}) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ScheduleError({str(path): f"not TOML in UTF-8: {error}"}) from None
    made: dict[str, Schedule] = {}
    errors: dict[str, str] = {}
    for name, table in tables.items():
        try:
            made[name] = read(name, table if isinstance(table, dict) else {})
        except ScheduleError as error:
            errors |= {f"{name}.{field}": message for field, message in error.errors.items()}
    if errors:
        raise ScheduleError(errors)
    return made


def install(schedules: Schedules, wanted: Mapping[str, Schedule]) -> list[str]:
    """Make the file's schedules those of the file; returns the names that were added, changed or removed.

    One that is as it was goes on where it was, paused or not. One that a person made under the same name gives way.
    """
    changed = []
    for name, schedule in wanted.items():
        try:
            found = schedules.get(name)
        except (NoSuchSchedule, ScheduleError):
            schedules.remove(name)
            found = None
        if found and (found.origin, found.schedule.table) == ("file", schedule.table):
            continue
        try:
            if found and found.origin == "file":
                schedules.change(schedule, found)
            else:
                schedules.remove(name)
                schedules.add(schedule, origin="file")
        except Refused:  # another beat was quicker
            continue
        changed.append(name)
    for name in set(schedules.names()) - set(wanted):
        try:
            if schedules.get(name).origin == "file" and schedules.remove(name):
                changed.append(name)
        except (NoSuchSchedule, ScheduleError):
            continue
    return sorted(changed)
