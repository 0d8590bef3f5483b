"""Celery's connection to Redis: after an outage it looks again every two seconds.

kombu waits two seconds longer after each try, up to thirty, and so does whoever waits for a code that Redis already has.
"""

from __future__ import annotations

from typing import Any

from celery.app.amqp import AMQP as CeleryAMQP
from kombu.connection import Connection as KombuConnection

AGAIN_SECONDS = 2


class Connection(KombuConnection):
    """kombu's, with an interval that does not grow."""

    def ensure_connection(self, *args: Any, **kwargs: Any) -> Any:
        """Connect, trying again until it works or ``max_retries`` are made."""
        steady = {"interval_start": AGAIN_SECONDS, "interval_step": 0, "interval_max": AGAIN_SECONDS}
        return super().ensure_connection(*args, **{**steady, **kwargs})  # type: ignore[no-untyped-call]


class AMQP(CeleryAMQP):  # type: ignore[misc]
    """Celery's, with our connection."""

    Connection = Connection
