"""RQ: a queue and the function that its workers import."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from redis import Redis
from rq import Queue

from bench import threaded


@cache
def queue() -> Queue:
    return Queue(connection=Redis.from_url(os.environ["REDIS_URL"]))


def enqueue(payload: dict[str, Any]) -> None:
    queue().enqueue(threaded.perform, payload)
