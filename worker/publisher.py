"""Publishing wake-ups: one LPUSH of the message that Celery's publish would write.

Kombu's publish costs 0.3 ms of CPU, this a tenth, and each idle job waits for it. That both write the same is tested.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Mapping
from typing import Any

from interakt_jobs.link import Link

TASK = "interakt.wake"


def message(lane: str, account: str, tails: list[str]) -> str:
    """A message of Celery's protocol 2 as kombu's Redis transport keeps it, with the headers that are read."""
    identity = uuid.uuid4().hex
    body = json.dumps([[1, account, tails], {}, {}])
    whole: Mapping[str, Any] = {
        "body": base64.b64encode(body.encode()).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {
            "lang": "py",
            "task": TASK,
            "id": identity,
            "root_id": identity,
            "ignore_result": True,
        },
        "properties": {
            "correlation_id": identity,
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": lane},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": str(uuid.uuid4()),
        },
    }
    return json.dumps(whole)


class Publisher:
    """Sends ``interakt.wake`` to a lane's queue, whose key begins with ``prefix``: kombu's ``global_keyprefix``.

    A lost or doubled wake-up is harmless, so nothing is confirmed.
    """

    def __init__(self, link: Link, prefix: str) -> None:
        self.link, self.prefix = link, prefix

    def wake(self, lane: str, account: str, tails: list[str]) -> None:
        """Tell the workers of ``lane`` that these jobs are theirs to claim; raises ``LedgerUnreachable``."""
        self.link.command("LPUSH", f"{self.prefix}{lane}", message(lane, account, tails))
