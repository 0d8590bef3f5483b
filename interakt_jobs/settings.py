"""Where the ledger is: ``configure(redis_url=...)`` or ``INTERAKT_REDIS_URL``; never the host's ``REDIS_URL``."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from .errors import NotConfigured
from .ledger.client import Ledger
from .ledger.keys import DEFAULT_ACCOUNT, account_name
from .ledger.redis_client import RedisClient

_client = cache(RedisClient)
make_ledger: Callable[[str], Ledger] | None = None  # replaced where nothing is to be enqueued


class Settings(NamedTuple):
    """What ``configure`` was given."""

    redis_url: str | None = None
    account: str = DEFAULT_ACCOUNT
    allow_unregistered: bool = False
    allow_unknown_fields: bool = False
    max_payload_bytes: int | None = None


current = Settings()


def configure(
    redis_url: str | None = None,
    *,
    account: str = DEFAULT_ACCOUNT,
    allow_unregistered: bool = False,
    allow_unknown_fields: bool = False,
    max_payload_bytes: int | None = None,
) -> None:
    """Say where jobs go.

    ``redis_url`` is the workers' Redis (``redis://``, ``rediss://``, ``unix://``); without it ``INTERAKT_REDIS_URL``
    holds. ``account`` is the one used when a job names none. ``allow_unregistered`` accepts jobs before any worker has
    ever run; ``allow_unknown_fields`` lets fields pass that this version does not know. ``max_payload_bytes`` is the most
    that a payload may have as JSON, as the workers have it; without it ``INTERAKT_MAX_PAYLOAD_BYTES`` holds, or 262,144.
    """
    global current
    current = Settings(
        redis_url, account_name(account), allow_unregistered, allow_unknown_fields, max_payload_bytes
    )


def redis_url() -> str:
    """The URL in force; raises ``NotConfigured``."""
    url = current.redis_url or os.environ.get("INTERAKT_REDIS_URL")
    if not url:
        raise NotConfigured(
            "say where the workers' Redis is: interakt_jobs.configure(redis_url=...) or INTERAKT_REDIS_URL"
        )
    return url


def link() -> RedisClient:
    """The process's connection to the ledger; raises ``NotConfigured``."""
    return _client(redis_url())


def ledger(account: str | None = None) -> Ledger:
    """The ledger of ``account``, or of the configured one."""
    name = account_name(account) if account else current.account
    return make_ledger(name) if make_ledger else Ledger(link(), name)


def max_payload_bytes() -> int:
    """The most bytes of a payload's JSON; raises ``NotConfigured`` for a setting that is no number."""
    if current.max_payload_bytes:
        return current.max_payload_bytes
    text = os.environ.get("INTERAKT_MAX_PAYLOAD_BYTES") or "262144"
    if not text.isascii() or not text.isdigit():
        raise NotConfigured("INTERAKT_MAX_PAYLOAD_BYTES must be a whole number of bytes")
    return int(text[:12])
