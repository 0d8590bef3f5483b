"""Are receipts still coming? Interakt switches a webhook off after five failures in ten minutes and says so by e-mail only.

``look`` is a pure function over what ``Silence`` samples once a minute.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass

from worker.ledger import status
from worker.ledger.work_ledger import WorkLedger
from worker.telemetry import sentry

log = logging.getLogger(__name__)
SAMPLE_SECONDS = 60.0
WHERE = "Interakt, Settings, Developer Settings, Webhook"
REFUSED_LEAST = 5


@dataclass(frozen=True, slots=True)
class Sample:
    """At ``at_ms``: sends accepted and signatures refused so far, and when the last receipt came (0: never)."""

    at_ms: int
    accepted: int
    refused: int
    receipt_ms: int


@dataclass(frozen=True, slots=True)
class Mark:
    """Since when we wait: the sample after the last receipt, and when sends were first seen accepted after it (0: none)."""

    base: Sample
    waiting_ms: int = 0


@dataclass(frozen=True, slots=True)
class Alarm:
    """``kind`` is ``silent`` or ``signatures``; ``text`` says what is probably wrong and where to mend it."""

    kind: str
    text: str


def look(mark: Mark | None, now: Sample, minutes: float) -> tuple[Mark, Alarm | None]:
    """The mark to come with next time, and the alarm while there is cause for one."""
    if mark is None or now.receipt_ms > mark.base.receipt_ms or now.accepted < mark.base.accepted:
        return Mark(now), None
    base, waiting = mark.base, mark.waiting_ms
    if not waiting and now.accepted > base.accepted:
        waiting = now.at_ms
    mark = Mark(base, waiting)
    refused = now.refused - base.refused
    if refused >= REFUSED_LEAST:
        return mark, Alarm(
            "signatures",
            f"{refused} webhooks came with a wrong signature and no receipt with a right one: INTERAKT_WEBHOOK_SECRET is "
            f"probably not the Secret Key at {WHERE}",
        )
    if waiting and now.at_ms - waiting >= minutes * 60_000:
        return mark, Alarm(
            "silent",
            f"{now.accepted - base.accepted} sends were accepted and no receipt came for {minutes:g} minutes: the webhook "
            f"is probably switched off; switch it on at {WHERE}",
        )
    return mark, None


def sample(at_ms: int, counts: Mapping[str, int], receipt_ms: int) -> Sample:
    """Of the account's ``count`` hash and its state's ``receipts_at``."""
    accepted = sum(
        number
        for field, number in counts.items()
        if field.startswith("outcome|send_") and field.endswith("|accepted")
    )
    return Sample(at_ms, accepted, counts.get("webhook|bad_signature", 0), receipt_ms)


class Silence:
    """A chore: once a minute, whether receipts still come; logs and reports to Sentry when they stop."""

    def __init__(self, minutes: float) -> None:
        self.minutes = minutes
        self._marks: dict[str, Mark | None] = {}
        self._sounded: dict[str, str] = {}
        self._next: dict[str, float] = {}

    def check(self, ledger: WorkLedger) -> None:
        if time.monotonic() < self._next.get(ledger.account, 0.0):
            return
        self._next[ledger.account] = time.monotonic() + min(SAMPLE_SECONDS, self.minutes * 20)
        now = ledger.link.now_ms()
        counts = status.read(ledger.link, ledger.account).counts
        receipt = int(ledger.link.command("HGET", f"{ledger.prefix}state", "receipts_at") or 0)
        mark, alarm = look(self._marks.get(ledger.account), sample(now, counts, receipt), self.minutes)
        self._marks[ledger.account] = mark
        name = alarm.kind if alarm else ""
        if name and name != self._sounded.get(ledger.account):
            log.critical(
                "%s",
                alarm.text if alarm else "",
                extra={"action": f"webhooks_{name}", "account": ledger.account},
            )
            sentry.capture(f"webhooks_{name}", "webhooks", "", 0, ledger.account)
        self._sounded[ledger.account] = name
        ledger.link.command("HSET", f"{ledger.prefix}state", "webhooks_alarm", name)
