"""Celery as a first version is written: defaults, a new schema and a new connection for each job."""

from __future__ import annotations

import os
from typing import Any

import requests
from celery import Celery

from bench import call
from schemas.interactive import List

app = Celery("naive", broker=os.environ["REDIS_URL"], backend=os.environ["REDIS_URL"])


@app.task
def send(payload: dict[str, Any]) -> str:
    List().load(payload)
    answer = requests.post(call.url(), json=payload, headers=call.headers(), timeout=20)
    return call.kept(answer.status_code, answer.json())


def enqueue(payload: dict[str, Any]) -> None:
    send.delay(payload)
