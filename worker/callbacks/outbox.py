"""The outbox: messages to callers' own Celery apps, written by ``settle`` and removed after a confirmed publish.

At least once: a crash between publish and removal publishes again. The message holds the job's id and the fields of
``JobEvent``, and no personal data.
"""

from __future__ import annotations

import json
import logging
import threading
from typing import Any

from celery import Celery

from interakt_jobs.errors import JobError
from interakt_jobs.event import CALLBACK_KEYWORDS
from interakt_jobs.ledger.keys import job_id
from worker.ledger.work_ledger import WorkLedger
from worker.threads import log_waiting

log = logging.getLogger(__name__)
BATCH = 100
AMQPS = {"server_hostname": None}  # without it kombu does not compare the certificate's name


class Outbox:
    """Publishes to ``broker_url`` (``INTERAKT_ON_DONE_BROKER_URL``, a setting of the worker, never of a job).

    As a chore it takes no time: each account has a thread while something waits, since that broker is someone else's,
    and the dispatcher must not stand still when it does.
    """

    def __init__(self, broker_url: str, default_queue: str = "celery") -> None:
        self.app = Celery(
            "interakt_outbox", broker=broker_url, set_as_current=False, amqp="worker.dispatch.broker:AMQP"
        )
        self.app.conf.update(
            task_ignore_result=True,
            task_serializer="json",
            broker_use_ssl=AMQPS if broker_url.startswith("amqps:") else None,
            broker_transport_options={
                "socket_timeout": 10,
                "socket_connect_timeout": 3,
                "confirm_publish": True,
                "max_retries": 0,  # the chore comes again
            },
            task_publish_retry=False,
        )
        self.default_queue = default_queue
        self._producers: dict[str, Any] = {}
        self._busy: dict[str, threading.Thread] = {}

    def publish_waiting(self, ledger: WorkLedger) -> None:
        """Have a thread publish what waits for one account, unless one does already."""
        busy = self._busy.get(ledger.account)
        if busy is not None and busy.is_alive():
            return
        waiting = ledger.link.command("LRANGE", f"{ledger.prefix}outbox", 0, BATCH - 1)
        if not waiting:
            return
        thread = threading.Thread(
            target=self._work, args=(ledger, waiting), name=f"outbox-{ledger.account}", daemon=True
        )
        self._busy[ledger.account] = thread
        thread.start()

    def _work(self, ledger: WorkLedger, waiting: list[bytes]) -> None:
        try:
            while self.publish(ledger, waiting) == BATCH:
                waiting = ledger.link.command("LRANGE", f"{ledger.prefix}outbox", 0, BATCH - 1)
        except JobError as error:
            log_waiting("the outbox", error)

    def publish(self, ledger: WorkLedger, waiting: list[bytes]) -> int:
        """Publish these entries of one account, oldest first; returns how many. What cannot be published stays."""
        key = f"{ledger.prefix}outbox"
        sent = 0
        for raw in waiting:
            try:
                message = _message(ledger.account, json.loads(raw))
            except (ValueError, KeyError, TypeError):
                log.error("unreadable outbox entry dropped", extra={"action": "outbox_unreadable"})
                ledger.link.command("LREM", key, 1, raw)
                continue
            try:
                self._send(ledger.account, **message)
            except Exception as error:  # noqa: BLE001  whatever the broker says, the entry waits
                name = type(
                    error.__cause__ or error
                ).__name__  # kombu dresses everything as one kind of error
                log.warning("outbox waits", extra={"action": "outbox_waits", "error": name})
                if self._is_away(ledger.account, error):
                    break
                ledger.link.command("RPUSH", key, raw)  # this one is refused: behind those that may not be
            else:
                sent += 1
            ledger.link.command("LREM", key, 1, raw)
        return sent

    def _is_away(self, account: str, error: Exception) -> bool:
        """Whether the broker cannot be reached or used at all, rather than refuses one message."""
        producer = self._producers.pop(account, None)
        if producer is None:
            return True
        cause = error.__cause__ or error
        away = isinstance(cause, (*producer.connection.connection_errors, OSError))
        producer.connection.release()
        return away

    def _send(self, account: str, **message: Any) -> None:
        producer = self._producers.get(account)
        if producer is None:
            connection = self.app.connection_for_write()
            _ = (
                connection.default_channel
            )  # a broker that cannot be used fails here, before any message is blamed
            producer = self._producers[account] = self.app.amqp.Producer(connection)
        message["queue"] = message["queue"] or self.default_queue
        self.app.send_task(**message, producer=producer, ignore_result=True)


def _message(account: str, entry: dict[str, Any]) -> dict[str, Any]:
    """What ``send_task`` is given for an entry; raises ``KeyError`` or ``TypeError`` for what is none."""
    inbound = entry["event"] == "inbound"
    return {
        "name": entry["task"],
        "args": (f"in1.{account}.{entry['id']}" if inbound else job_id(account, entry["id"]),),
        "kwargs": {name: entry[name] for name in CALLBACK_KEYWORDS if name in entry},
        "queue": entry.get("queue"),
    }
