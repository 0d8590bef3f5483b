"""Celery as its documents recommend: schema and session kept, no events, one backend for all threads."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery

from bench import threaded

app = Celery("tuned", broker=os.environ["REDIS_URL"], backend=os.environ["REDIS_URL"])
app.conf.update(
    worker_prefetch_multiplier=8,
    worker_send_task_events=False,
    worker_disable_rate_limits=True,
    result_backend_thread_safe=True,
    broker_connection_retry_on_startup=True,
)


@app.task
def send(payload: dict[str, Any]) -> str:
    return threaded.perform(payload)


def enqueue(payload: dict[str, Any]) -> None:
    send.delay(payload)
