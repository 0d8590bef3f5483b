"""Celery holding the limit with ``rate_limit``, which each worker keeps for itself."""

from __future__ import annotations

import os

from celery import Celery

from bench import call, threaded

app = Celery("rate", broker=os.environ["REDIS_URL"])


@app.task(ignore_result=True, rate_limit=os.environ["BENCH_RATE"])
def send() -> None:
    threaded.session().post(call.url(), json=call.marked(f"p{os.getpid()}"), timeout=20)


def enqueue(payload: object) -> None:
    send.delay()
