"""Publishing wake-ups through Celery, with one producer held open."""

from __future__ import annotations

import threading
from typing import Any

from celery import Celery


class Publisher:
    """Sends ``interakt.wake`` to a lane's queue. A lost or doubled wake-up is harmless, so nothing is confirmed."""

    def __init__(self, app: Celery) -> None:
        self.app = app
        self._lock = threading.Lock()
        self._producer: Any = None

    def wake(self, lane: str, account: str, tails: list[str]) -> None:
        """Tell the workers of ``lane`` that these jobs are theirs to claim."""
        with self._lock:
            if self._producer is None:
                self._producer = self.app.amqp.Producer(self.app.connection_for_write())
            try:
                self.app.tasks["interakt.wake"].apply_async(
                    (1, account, tails), queue=lane, producer=self._producer, ignore_result=True
                )
            except Exception:
                self._producer = None
                raise
