"""This project as an application uses it for many: ``delay_many``, the bulk lane."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable
from typing import Any

from interakt_jobs import configure, send_list

configure(os.environ["REDIS_URL"], allow_unregistered=True)


def enqueue(payload: dict[str, Any]) -> str:
    return str(send_list.delay(payload, lane="bulk").id)


def enqueue_many(payloads: Iterable[dict[str, Any]]) -> None:
    deque(send_list.delay_many(payloads), maxlen=0)
