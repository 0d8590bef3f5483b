"""Waiting for a job's end: a notification when it comes, a look now and then in case it does not."""

from __future__ import annotations

import contextlib
import time

from celery.exceptions import TimeoutError as CeleryTimeoutError
from redis import Redis

from interakt_jobs import settings

from .keys import job_id
from .record import ENDED, Reading
from .redis_errors import FAILURES
from .redis_url import plain


def wait_for_end(account: str, tail: str, timeout: float | None, interval: float) -> Reading:
    """The reading of the ended job; raises Celery's ``TimeoutError`` after ``timeout`` seconds, ``NoSuchJob``."""
    ledger = settings.ledger(account)
    deadline = None if timeout is None else time.monotonic() + timeout
    reading = ledger.read(tail)
    if reading.state in ENDED:
        return reading
    if settings.recorder is not None:
        raise CeleryTimeoutError(
            f"job {job_id(account, tail)} is recorded, not sent: say what it comes to with outbox.finish(job)"
        )
    client = Redis.from_url(plain(settings.redis_url()), socket_timeout=5, socket_connect_timeout=2)
    channel = client.pubsub(ignore_subscribe_messages=True)
    try:
        _listen(channel, f"{ledger.prefix}ended:{tail}")
        while True:
            reading = ledger.read(tail)
            if reading.state in ENDED:
                return reading
            left = interval if deadline is None else min(interval, deadline - time.monotonic())
            if left <= 0:
                raise CeleryTimeoutError(f"job {job_id(account, tail)} has not ended: it is {reading.state}")
            _pause(channel, left)
    finally:
        with contextlib.suppress(*FAILURES):
            channel.close()
            client.close()


def _listen(channel: object, name: str) -> None:
    try:
        channel.subscribe(name)  # type: ignore[attr-defined]
        channel.get_message(timeout=1)  # type: ignore[attr-defined]
    except FAILURES:
        return


def _pause(channel: object, seconds: float) -> None:
    started = time.monotonic()
    try:
        if channel.get_message(timeout=seconds):  # type: ignore[attr-defined]
            return
    except (*FAILURES, RuntimeError):
        pass
    time.sleep(max(0.0, min(seconds, 0.05) - (time.monotonic() - started)))
