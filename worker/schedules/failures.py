"""Slots that failed: each is kept with its schedule, and logged and reported once."""

from __future__ import annotations

import logging
import re
import time
from datetime import UTC, datetime

from worker.ledger.dead_letters import DeadLetter, DeadLetters
from worker.ledger.work_ledger import WorkLedger
from worker.telemetry import sentry

from .store import Schedules

log = logging.getLogger(__name__)
LOOK_SECONDS, BACK_MS = 2.0, 3_600_000
_STAMP = "%Y%m%dT%H%M%SZ"
_TAIL = re.compile(r"schedule\.([a-z0-9][a-z0-9_\-]{0,39})\.(\d{8}T\d{6}Z)", re.ASCII)


def tail_of(name: str, slot: int) -> str:
    """The job_key of a slot's job."""
    return f"schedule.{name}.{datetime.fromtimestamp(slot, UTC).strftime(_STAMP)}"


def slot_failed(schedules: Schedules, name: str, slot: int, why: str, account: str) -> None:
    """Keep, log and report it, the first time it is seen."""
    if not schedules.fail(name, slot, why):
        return
    job = f"ij1.{account}.{tail_of(name, slot)}"
    extra = {"action": "schedule_failed", "schedule": name, "account": account, "job": job}
    log.critical("a schedule's slot failed: %s", why, extra=extra)
    sentry.capture("schedule_failed", "", job, 0, account)


class FailedSlots:
    """A chore: each ``every`` seconds, are there jobs that a schedule has made among an account's newest dead letters?"""

    def __init__(self, every: float = LOOK_SECONDS) -> None:
        self._every = every
        self._seen: dict[str, int] = {}
        self._next: dict[str, float] = {}

    def __call__(self, ledger: WorkLedger) -> None:
        if time.monotonic() < self._next.get(ledger.account, 0.0):
            return
        self._next[ledger.account] = time.monotonic() + self._every
        since = self._seen.get(ledger.account)
        if since is None:  # what another worker saw is known
            since = ledger.link.now_ms() - BACK_MS
        newest = since
        for job_key, at in DeadLetters(ledger).since(since):
            newest = max(newest, at)
            self._look(ledger, job_key, at)
        self._seen[ledger.account] = newest

    def _look(self, ledger: WorkLedger, job_key: str, at: int) -> None:
        match = _TAIL.fullmatch(job_key)
        letter = DeadLetters(ledger).letter(job_key, at) if match else None
        if match and letter:
            slot = int(datetime.strptime(match[2], _STAMP).replace(tzinfo=UTC).timestamp())
            slot_failed(Schedules(ledger.link), match[1], slot, _why(letter), ledger.account)


def _why(letter: DeadLetter) -> str:
    return f"{letter.reason}: {letter.error}"[:300]
