"""Back-pressure before Redis is full: bulk work is refused first, then all."""

from __future__ import annotations

import logging
import time

from .work_ledger import WorkLedger

log = logging.getLogger(__name__)
BULK_SHARE, ALL_SHARE = 0.75, 0.90


def fullness(used: int, limit: int) -> str:
    """``""``, ``"bulk"`` or ``"all"``: what is refused at ``used`` of ``limit`` bytes (0: no limit)."""
    if limit <= 0 or used < BULK_SHARE * limit:
        return ""
    return "all" if used >= ALL_SHARE * limit else "bulk"


CLEAR_SECONDS = 5.0
_clear_until: dict[str, float] = {}


def watch_memory(ledger: WorkLedger) -> None:
    """Write what is refused into the account's state, where ``accept`` reads it."""
    info = ledger.link.command("INFO", "memory").decode()
    values = dict(line.split(":", 1) for line in info.splitlines() if ":" in line)
    found = fullness(int(values.get("used_memory", 0)), int(values.get("maxmemory", 0)))
    if not found and time.monotonic() < _clear_until.get(ledger.account, 0.0):
        return  # looked at a moment ago; not for long, as another process may have led meanwhile
    key = f"{ledger.prefix}state"
    before = (ledger.link.command("HGET", key, "full") or b"").decode()
    if found != before:
        ledger.link.command("HSET", key, "full", found)
        log.critical(
            "Redis memory: refusing %s", found or "nothing", extra={"action": "memory", "full": found}
        )
    _clear_until[ledger.account] = 0.0 if found else time.monotonic() + CLEAR_SECONDS
