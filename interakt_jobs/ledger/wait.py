"""Waiting for a job's end: a notification when it comes, a look now and then in case it does not."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

from celery.exceptions import TimeoutError as CeleryTimeoutError
from redis import Redis

from .record import ENDED, Reading
from .redis_errors import FAILURES


def wait_for_end(
    read: Callable[[], Reading], url: str, topic: str, timeout: float | None, interval: float
) -> Reading:
    """The first reading of ``read`` that is an end; raises Celery's ``TimeoutError`` after ``timeout`` seconds.

    ``topic`` is where the end is published. Without a notification it looks every ``interval`` seconds.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    reading = read()
    if reading.state in ENDED:
        return reading
    client = Redis.from_url(url, socket_timeout=5, socket_connect_timeout=2)
    channel = client.pubsub(ignore_subscribe_messages=True)
    try:
        _listen(channel, topic)
        while True:
            reading = read()
            if reading.state in ENDED:
                return reading
            left = interval if deadline is None else min(interval, deadline - time.monotonic())
            if left <= 0:
                raise CeleryTimeoutError(f"the job has not ended: it is {reading.state}")
            _pause(channel, left)
    finally:
        with contextlib.suppress(*FAILURES):
            channel.close()
            client.close()


def _listen(channel: Any, name: str) -> None:
    try:
        channel.subscribe(name)
        channel.get_message(timeout=1)
    except FAILURES:
        return


def _pause(channel: Any, seconds: float) -> None:
    started = time.monotonic()
    try:
        if channel.get_message(timeout=seconds):
            return
    except (*FAILURES, RuntimeError):
        pass
    time.sleep(max(0.0, min(seconds, 0.05) - (time.monotonic() - started)))
