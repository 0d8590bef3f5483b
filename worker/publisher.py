"""Publishing wake-ups through kombu, with one producer held open."""

from __future__ import annotations

import threading
import uuid
from typing import Any

from celery import Celery


class Publisher:
    """Sends ``interakt.wake`` to a lane's queue. A lost or doubled wake-up is harmless, so nothing is confirmed.

    The message is of Celery's protocol 2 with the headers that are read; ``apply_async`` would cost twice the CPU.
    """

    def __init__(self, app: Celery) -> None:
        self.app = app
        self._lock = threading.Lock()
        self._producer: Any = None

    def wake(self, lane: str, account: str, tails: list[str]) -> None:
        """Tell the workers of ``lane`` that these jobs are theirs to claim."""
        identity = uuid.uuid4().hex
        headers = {
            "lang": "py",
            "task": "interakt.wake",
            "id": identity,
            "root_id": identity,
            "ignore_result": True,
        }
        with self._lock:
            if self._producer is None:
                self._producer = self.app.amqp.Producer(self.app.connection_for_write())
            try:
                self._producer.publish(
                    ((1, account, tails), {}, {}),
                    routing_key=lane,
                    exchange="",
                    serializer="json",
                    headers=headers,
                    correlation_id=identity,
                )
            except Exception:
                self._producer = None
                raise
