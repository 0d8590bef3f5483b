"""The outbox: messages to callers' own Celery apps, written by ``settle`` and removed after a confirmed publish.

At least once: a crash between publish and removal publishes again. The message holds the job's id, its state and the
event, and no personal data.
"""

from __future__ import annotations

import json
import logging
from typing import Any

from celery import Celery

from interakt_jobs.ids import job_id

from .ledger import WorkLedger

log = logging.getLogger(__name__)
BATCH = 100


class Outbox:
    """Publishes to ``broker_url`` (``INTERAKT_ON_DONE_BROKER_URL``, a setting of the worker, never of a job)."""

    def __init__(self, broker_url: str, default_queue: str = "celery") -> None:
        self.app = Celery("interakt_outbox", broker=broker_url, set_as_current=False)
        self.app.conf.update(
            task_ignore_result=True,
            task_serializer="json",
            broker_transport_options={
                "socket_timeout": 10,
                "socket_connect_timeout": 3,
                "confirm_publish": True,
            },
            task_publish_retry=False,
        )
        self.default_queue = default_queue
        self._producer: Any = None

    def __call__(self, ledger: WorkLedger) -> int:
        """Publish what waits for one account, oldest first; returns how many. What cannot be published stays."""
        key = f"{ledger.prefix}outbox"
        sent = 0
        for raw in ledger.link.command("LRANGE", key, 0, BATCH - 1):
            try:
                entry = json.loads(raw)
                self._publish(ledger.account, entry)
            except (ValueError, KeyError, TypeError):
                log.error("unreadable outbox entry dropped", extra={"action": "outbox_unreadable"})
            except Exception as error:  # noqa: BLE001  whatever the broker says, the entry waits
                self._producer = None
                log.warning("outbox waits", extra={"action": "outbox_waits", "error": type(error).__name__})
                break
            ledger.link.command("LREM", key, 1, raw)
            sent += 1
        return sent

    def _publish(self, account: str, entry: dict[str, Any]) -> None:
        inbound = entry["event"] == "inbound"
        identity = f"in1.{account}.{entry['id']}" if inbound else job_id(account, entry["id"])
        if self._producer is None:
            self._producer = self.app.amqp.Producer(self.app.connection_for_write())
        self.app.send_task(
            entry["task"],
            args=(identity,),
            kwargs={"state": entry["state"], "event": entry["event"]},
            queue=entry.get("queue") or self.default_queue,
            producer=self._producer,
            ignore_result=True,
        )
