"""Celery's connection to Redis: its URL is read like every other of ours, and after an outage it tries every two seconds.

kombu checks no certificate by default, and waits two seconds longer after each try, up to thirty: a login code would wait
as long, although Redis is back.
"""

from __future__ import annotations

from typing import Any

from celery.app.amqp import AMQP as CeleryAMQP
from kombu.connection import Connection as KombuConnection

from interakt_jobs.ledger.redis_url import plain

AGAIN_SECONDS = 2


class Connection(KombuConnection):
    """kombu's, for URLs as ``interakt_jobs.ledger.redis_url`` reads them, with an interval that does not grow."""

    def __init__(self, hostname: Any = "localhost", *args: Any, **kwargs: Any) -> None:
        if isinstance(hostname, str) and "://" in hostname:
            hostname = plain(hostname).replace("unix://", "redis+socket://", 1)
        super().__init__(hostname, *args, **kwargs)  # type: ignore[no-untyped-call]

    def ensure_connection(self, *args: Any, **kwargs: Any) -> Any:
        """Connect, trying again until it works or ``max_retries`` are made."""
        steady = {"interval_start": AGAIN_SECONDS, "interval_step": 0, "interval_max": AGAIN_SECONDS}
        return super().ensure_connection(*args, **{**steady, **kwargs})  # type: ignore[no-untyped-call]


class AMQP(CeleryAMQP):  # type: ignore[misc]
    """Celery's, with our connection."""

    Connection = Connection
