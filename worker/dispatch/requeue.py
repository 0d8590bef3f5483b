"""Messages by name that could not be accepted yet (Redis was nearly full): back on their queue, the oldest first."""

from __future__ import annotations

import json
import time

from interakt_jobs.ledger.keys import LATER
from worker.ledger.work_ledger import WorkLedger

from .publisher import Publisher, envelope

MOST, PAUSE_SECONDS = 50, 2.0


class IntakeRequeue:
    """A chore of the dispatcher; a message that is put back twice is accepted once, by its id."""

    def __init__(self, publisher: Publisher) -> None:
        self.publisher = publisher
        self._next = 0.0

    def __call__(self, ledger: WorkLedger) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + PAUSE_SECONDS
        for raw in ledger.link.command("LRANGE", LATER, -MOST, -1)[::-1]:
            found = json.loads(raw)
            again = envelope("intake", found["task"], found["id"], found["args"], found["kwargs"])
            self.publisher.push("intake", again)
            ledger.link.command("LREM", LATER, -1, raw)
