"""What a worker does with webhooks: read them out of the streams, act on them, and sound the alarm when they stop."""

from __future__ import annotations

import logging
import time
from typing import Any

import schemas.webhook
from config.settings import Settings
from interakt_jobs.ledger.redis_client import RedisClient
from schemas.event import Event
from worker.ledger import status
from worker.ledger.work_ledger import WorkLedger
from worker.shutdown import stopping
from worker.telemetry import sentry
from worker.threads import SupervisedThread

from .consumer import Consumer
from .handler import WebhookHandler
from .silence import Mark, look, sample

log = logging.getLogger(__name__)
SAMPLE_SECONDS = 60.0


def read(kind: str, body: Any) -> Event:
    """The event of a webhook's JSON; raises ``ValueError`` for what is of no known kind, so that it is kept raw."""
    event = schemas.webhook.read(body)
    if event.kind == "unknown":
        raise ValueError("a webhook of no known kind")
    return event


def thread(link: RedisClient, ledgers: dict[str, WorkLedger], settings: Settings) -> SupervisedThread:
    """One that consumes webhooks until the worker stops; any worker may, they share the work."""
    return Consumer(link, sorted(ledgers), read, WebhookHandler(ledgers, settings)).thread(stopping)


class Silence:
    """A chore: once a minute, are receipts still coming? Loud in the log and in Sentry, once each time it begins."""

    def __init__(self, minutes: float) -> None:
        self.minutes = minutes
        self._marks: dict[str, Mark | None] = {}
        self._sounded: dict[str, str] = {}
        self._next: dict[str, float] = {}

    def __call__(self, ledger: WorkLedger) -> None:
        if time.monotonic() < self._next.get(ledger.account, 0.0):
            return
        self._next[ledger.account] = time.monotonic() + min(SAMPLE_SECONDS, self.minutes * 20)
        now = int(ledger.link.command("TIME")[0]) * 1000
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
