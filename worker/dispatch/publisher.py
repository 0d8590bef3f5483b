"""Celery messages, written as Celery's own publish writes them, with one LPUSH.

Kombu's publish costs 0.3 ms of CPU, this a tenth, and each idle job waits for it. That both write the same is tested.
"""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from interakt_jobs.errors import LedgerFull
from interakt_jobs.ledger.keys import LATER
from interakt_jobs.ledger.redis_client import RedisClient
from interakt_jobs.ledger.scripts import load
from worker.ledger.work_ledger import WorkLedger

TASK = "interakt.wake"
PUSH = load("push")
REQUEUED, REQUEUE_SECONDS = 50, 2.0


def celery_message(
    queue: str, task: str, identity: str, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """A message of Celery's protocol 2 as kombu's Redis transport keeps it, with the headers that are read."""
    body = json.dumps([args, kwargs, {}])
    return {
        "body": base64.b64encode(body.encode()).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {
            "lang": "py",
            "task": task,
            "id": identity,
            "root_id": identity,
            "ignore_result": True,
        },
        "properties": {
            "correlation_id": identity,
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": queue},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": str(uuid.uuid4()),
        },
    }


def message(lane: str, account: str, job_keys: list[str]) -> str:
    """A wake-up for these jobs."""
    return json.dumps(celery_message(lane, TASK, uuid.uuid4().hex, [1, account, job_keys], {}))


class Publisher:
    """Puts messages on queues, whose keys begin with ``prefix``: kombu's ``global_keyprefix``.

    A wake-up that is lost or doubled is harmless, so nothing is confirmed.
    """

    def __init__(self, link: RedisClient, prefix: str) -> None:
        self.link, self.prefix = link, prefix

    def wake(self, lane: str, account: str, job_keys: list[str]) -> None:
        """Let a worker of ``lane`` claim these jobs; raises ``LedgerUnreachable``."""
        self._push(lane, message(lane, account, job_keys))

    def intake(
        self, task: str, identity: str, args: Sequence[Any], kwargs: Mapping[str, Any] | None = None
    ) -> None:
        """Call a task of ours by its name, as an application does."""
        self._push("intake", json.dumps(celery_message("intake", task, identity, args, kwargs or {})))

    def _push(self, queue: str, raw: str) -> None:
        """A script may push when Redis is full, and what frees memory must go on."""
        try:
            self.link.command("LPUSH", f"{self.prefix}{queue}", raw)
        except LedgerFull:
            self.link.run(PUSH, [f"{self.prefix}{queue}"], raw)


class IntakeRequeue:
    """A chore: puts intake messages that came while Redis was nearly full back on their queue, the oldest first.

    A message that is put back twice is accepted once, by its id.
    """

    def __init__(self, publisher: Publisher) -> None:
        self.publisher = publisher
        self._next = 0.0

    def __call__(self, ledger: WorkLedger) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + REQUEUE_SECONDS
        for raw in ledger.link.command("LRANGE", LATER, -REQUEUED, -1)[::-1]:
            found = json.loads(raw)
            self.publisher.intake(found["task"], found["id"], found["args"], found["kwargs"])
            ledger.link.command("LREM", LATER, -1, raw)
