"""What people did, and who: a stream for each account and one for what belongs to none; the newest 100,000 are kept."""

from __future__ import annotations

import getpass
import logging
from typing import Any

from interakt_jobs.errors import LedgerFull
from interakt_jobs.ledger.constants import AUDIT_MOST
from interakt_jobs.ledger.keys import AUDIT, prefix
from interakt_jobs.ledger.redis_client import RedisClient, pairs

log = logging.getLogger(__name__)


def user() -> str:
    """Who runs this process."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def note(link: RedisClient, account: str, act: str, **facts: object) -> None:
    """Note what was just done; ``account`` is empty for what belongs to none. A full Redis notes nothing."""
    words = [str(word) for name, value in facts.items() for word in (name, value)]
    try:
        link.command("XADD", _key(account), "MAXLEN", "~", AUDIT_MOST, "*", "act", act, *words, "who", user())
    except LedgerFull:
        log.warning("Redis is full: this is in no audit", extra={"action": "not_audited", "act": act})


def read(link: RedisClient, account: str, most: int) -> list[dict[str, Any]]:
    """The newest acts on an account and on what belongs to none, newest first; ``at_ms`` is when."""
    found = [
        entry
        for key in (_key(account), AUDIT)
        for entry in link.command("XREVRANGE", key, "+", "-", "COUNT", most)
    ]
    made = []
    for identity, flat in sorted(found, key=lambda entry: _order(entry[0]), reverse=True)[:most]:
        facts = pairs([word.decode("utf-8", "replace") for word in flat])
        made.append({"at_ms": _order(identity)[0], **facts})
    return made


def _key(account: str) -> str:
    return f"{prefix(account)}audit" if account else AUDIT


def _order(identity: bytes) -> tuple[int, int]:
    at, _, number = identity.partition(b"-")
    return int(at), int(number)
