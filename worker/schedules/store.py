"""Schedules in Redis: one hash each, ``{ij1:beat}::entry:<name>``, and a zset of when beat looks at which.

Fields of a hash: ``table`` (JSON), ``origin`` (``file`` or ``made``), ``since`` (slots before are no concern of it),
``last`` (the newest slot that is done with), ``asked`` (slot and when beat asked a worker for it), ``runs``, ``missed``,
``job`` (of the last run), ``error`` (of the last slot), ``failed`` (how many slots), ``failures`` (the last of them, a
line each), ``paused``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from interakt_jobs.ledger.keys import BEAT
from interakt_jobs.ledger.redis_client import RedisClient
from interakt_jobs.ledger.scripts import Script
from interakt_jobs.ledger.scripts import load as load_script

from .definition import NAME, Schedule, read
from .errors import NoSuchSchedule, Refused

# not redbeat's own names: its plain scheduler takes out what it cannot read; and no account's keys begin with two colons
PREFIX, INDEX, LOCK = f"{BEAT}:entry:", f"{BEAT}:index", f"{BEAT}:lock"


def load(name: str) -> Script:
    """A script of this package."""
    return load_script(name, "worker/schedules/lua")


WRITE, MARK, FAIL = load("write"), load("mark"), load("fail")


@dataclass(frozen=True, slots=True)
class Stored:
    """A schedule and where it is; times are seconds since the epoch, 0 for never."""

    schedule: Schedule
    origin: str
    since: int
    last: int = 0
    asked: str = ""
    runs: int = 0
    missed: int = 0
    job: str = ""
    error: str = ""
    failed: int = 0
    failures: tuple[str, ...] = ()
    paused: bool = False

    @property
    def mark(self) -> int:
        """Slots up to here are done with, or never were its own."""
        return max(self.last, self.since)

    def due(self) -> int | None:
        """The first slot that is not done with; None when there is no more, or it is paused."""
        return None if self.paused else self.schedule.after(self.mark)


def stored(name: str, found: Mapping[str, str]) -> Stored:
    """A schedule of its hash; raises ``ScheduleError``."""
    facts: dict[str, Any] = {field: found.get(field, "") for field in ("asked", "job", "error")}
    for field in ("since", "last", "runs", "missed", "failed"):
        facts[field] = int(found.get(field, "0"))
    return Stored(
        read(name, json.loads(found["table"]), check=False),
        found.get("origin", "made"),
        failures=tuple(found.get("failures", "").splitlines()),
        paused="paused" in found,
        **facts,
    )


class Schedules:
    """All schedules of one Redis. Every method raises ``LedgerUnreachable``."""

    def __init__(self, link: RedisClient) -> None:
        self.link = link

    def now(self) -> float:
        """Redis's time, which is the only one that counts here."""
        seconds, micros = self.link.command("TIME")
        return int(seconds) + int(micros) / 1e6

    def names(self) -> list[str]:
        """All names, paused and ended ones too."""
        keys = [key.decode() for key in self.link.command("ZRANGE", INDEX, 0, -1)]
        return sorted(key.removeprefix(PREFIX) for key in keys)

    def get(self, name: str) -> Stored:
        """One schedule; raises ``NoSuchSchedule``, and ``ScheduleError`` for one that this version cannot read.

        Its payload is not checked again: that is the job's matter.
        """
        flat = self.link.command("HGETALL", f"{PREFIX}{name}") if NAME.fullmatch(name) else []
        found = {flat[at].decode(): flat[at + 1].decode() for at in range(0, len(flat), 2)}
        if "table" not in found:
            raise NoSuchSchedule(f"no schedule {name!r}")
        return stored(name, found)

    def has_beat(self) -> bool:
        """Whether a beat is active, or was seconds ago."""
        return bool(self.link.command("EXISTS", LOCK))

    def behind(self) -> float:
        """For how many seconds the longest waiting schedule should have been looked at; below 2 while a beat is active."""
        oldest = self.link.command("ZRANGEBYSCORE", INDEX, 0, "+inf", "WITHSCORES", "LIMIT", 0, 1)
        return max(0.0, self.now() - float(oldest[1])) if oldest else 0.0

    def add(self, schedule: Schedule, *, origin: str = "made", paused: bool = False) -> None:
        """Add one; raises ``Refused`` when the name is taken. Its slots are those from now on."""
        if not self._write(schedule, "", not paused, origin=origin, paused="1" if paused else ""):
            raise Refused(f"there is a schedule {schedule.name!r} already")

    def change(self, schedule: Schedule, before: Stored) -> None:
        """Put ``schedule`` in the place of ``before``; slots before now are no concern of it. Raises ``Refused``."""
        if not self._write(schedule, before.schedule.table, not before.paused, asked="", error=""):
            raise Refused(f"{schedule.name!r} was changed meanwhile: look again")

    def pause(self, name: str) -> None:
        """Start nothing more; its slots pass."""
        found = self.get(name)
        self._write(found.schedule, found.schedule.table, False, since=found.since, paused="1")

    def resume(self, name: str) -> None:
        """Go on from now; what it would have run meanwhile is not made up for."""
        found = self.get(name)
        if found.paused:
            self._write(found.schedule, found.schedule.table, True, paused="", asked="")

    def remove(self, name: str) -> bool:
        """Take one out; whether it was there."""
        key = f"{PREFIX}{name}"
        self.link.command("ZREM", INDEX, key)
        return bool(self.link.command("DEL", key))

    def mark(
        self, found: Stored, slot: int, *, ran: bool, missed: int, facts: Mapping[str, str], score: float
    ) -> bool:
        """The guard: this slot is done with. False when it was before."""
        flat = [part for pair in facts.items() for part in pair]
        name, table = found.schedule.name, found.schedule.table
        return bool(
            self.link.run(MARK, [f"{PREFIX}{name}", INDEX], table, slot, int(ran), missed, score, *flat)
        )

    def fail(self, name: str, slot: int, why: str) -> bool:
        """Keep that a slot has failed; False when that is known."""
        at = datetime.fromtimestamp(slot, UTC).isoformat()
        return bool(self.link.run(FAIL, [f"{PREFIX}{name}"], slot, at, " ".join(why.split())))

    def _write(
        self, schedule: Schedule, before: str, runs: bool, *, since: int | None = None, **fields: str
    ) -> bool:
        """Write a schedule whose slots are those after ``since`` (now when None), if it still is as it was ``before``."""
        since = int(self.now()) if since is None else since
        due = schedule.after(since) if runs else None
        flat = [part for pair in fields.items() for part in pair]
        keys = [f"{PREFIX}{schedule.name}", INDEX]
        score = -1 if due is None else due
        return bool(self.link.run(WRITE, keys, before, score, schedule.table, "since", since, *flat))
