"""Where the ledger is: ``configure(redis_url=...)`` or ``INTERAKT_REDIS_URL``; never the host's ``REDIS_URL``."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, cast

from .errors import NotConfigured
from .ledger.client import Ledger
from .ledger.keys import DEFAULT_ACCOUNT, account_name
from .ledger.redis_client import Link

if TYPE_CHECKING:
    from .testing import Outbox

_lock = threading.Lock()
_links: dict[str, Link] = {}
_redis_url: str | None = None
_account = DEFAULT_ACCOUNT
_allow_unregistered = False
_allow_unknown = False
recorder: Outbox | None = None


def configure(
    redis_url: str | None = None,
    *,
    account: str = DEFAULT_ACCOUNT,
    allow_unregistered: bool = False,
    allow_unknown_fields: bool = False,
) -> None:
    """Say where jobs go.

    ``redis_url`` is the workers' Redis (``redis://``, ``rediss://``, ``unix://``); without it ``INTERAKT_REDIS_URL``
    holds. ``account`` is the one used when a job names none. ``allow_unregistered`` accepts jobs before any worker has
    ever run; ``allow_unknown_fields`` lets fields pass that this version does not know.
    """
    global _redis_url, _account, _allow_unregistered, _allow_unknown
    _redis_url = redis_url
    _account = account_name(account)
    _allow_unregistered = allow_unregistered
    _allow_unknown = allow_unknown_fields


def redis_url() -> str:
    """The URL in force; raises ``NotConfigured``."""
    url = _redis_url or os.environ.get("INTERAKT_REDIS_URL")
    if not url:
        raise NotConfigured(
            "say where the workers' Redis is: interakt_jobs.configure(redis_url=...) or INTERAKT_REDIS_URL"
        )
    return url


def link() -> Link:
    """The process's connection to the ledger."""
    url = redis_url()
    found = _links.get(url)
    if found is None:
        with _lock:
            found = _links.setdefault(url, Link(url))
    return found


def ledger(account: str | None = None) -> Ledger:
    name = account_name(account) if account else _account
    if recorder is not None:
        return cast(Ledger, recorder.ledger(name))
    return Ledger(link(), name)


def default_account() -> str:
    return _account


def allow_unregistered() -> bool:
    return _allow_unregistered


def allow_unknown_fields() -> bool:
    return _allow_unknown
