"""This project as an application uses it: ``delay`` for one job, ``delay_many`` for the bulk lane."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from interakt_jobs import configure, send_list

configure(os.environ["REDIS_URL"], allow_unregistered=True)


def enqueue(payload: dict[str, Any]) -> str:
    return str(send_list.delay(payload).id)


def enqueue_many(payloads: Iterable[dict[str, Any]]) -> None:
    send_list.delay_many(payloads, lane="bulk")
