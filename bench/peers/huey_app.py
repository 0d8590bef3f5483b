"""huey on Redis; results are kept, which is its default."""

from __future__ import annotations

import os
from typing import Any

from huey import RedisHuey

from bench import threaded

huey = RedisHuey("bench", url=os.environ["REDIS_URL"])


@huey.task()
def send(payload: dict[str, Any]) -> str:
    return threaded.perform(payload)


def enqueue(payload: dict[str, Any]) -> None:
    send(payload)
