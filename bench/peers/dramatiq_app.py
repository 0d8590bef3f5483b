"""dramatiq with its Redis broker and results."""

from __future__ import annotations

import os
from typing import Any

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend

from bench import threaded

broker = RedisBroker(url=os.environ["REDIS_URL"])
broker.add_middleware(Results(backend=RedisBackend(url=os.environ["REDIS_URL"])))
dramatiq.set_broker(broker)


@dramatiq.actor(store_results=True)
def send(payload: dict[str, Any]) -> str:
    return threaded.perform(payload)


def enqueue(payload: dict[str, Any]) -> None:
    send.send(payload)
