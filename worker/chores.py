"""What the worker that dispatches an account does for it beside that: repair, clean up, and look for trouble."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable

from .callbacks.outbox import Outbox
from .campaigns.running.campaign_feeder import CampaignFeeder
from .dispatch.publisher import IntakeRequeue, Publisher
from .ledger.dead_letters import DeadLetters
from .ledger.keyless import KeyWatch
from .ledger.work_ledger import WorkLedger
from .process import Process
from .schedules.failures import FailedSlots
from .webhooks.silence import Silence

log = logging.getLogger(__name__)
PURGE_SECONDS, CLEAR_SECONDS = 10.0, 5.0
BULK_SHARE, ALL_SHARE = 0.75, 0.90
Chore = Callable[[WorkLedger], object]


def chores_of(process: Process, publisher: Publisher) -> list[Chore]:
    """Each is called about once a second for each account that this process dispatches."""
    settings = process.settings
    chores: list[Chore] = [
        functools.partial(reap, process),
        Memory(),
        Purge(settings.keep_dead_seconds, settings.keep_dead_count),
        Silence(settings.silence_minutes).check,
        CampaignFeeder().begin_round,
        KeyWatch(),
        FailedSlots(),
        IntakeRequeue(publisher),
    ]
    if settings.on_done_broker_url:
        chores.append(Outbox(settings.on_done_broker_url).publish_waiting)
    return chores


def reap(process: Process, ledger: WorkLedger) -> None:
    done = ledger.reap(
        most=200,
        retry_ms=int(process.settings.retry_base_seconds * 1000),
        aside=functools.partial(process.set_aside.named, ledger),
    )
    if any(done.values()):
        log.info("repaired", extra={"action": "reaped", "account": ledger.account, **done})


class Purge:
    """Drops old dead letters: some at a time, and after the last a while nothing."""

    def __init__(self, keep_seconds: float, keep_count: int) -> None:
        self._keep = keep_seconds, keep_count
        self._next: dict[str, float] = {}

    def __call__(self, ledger: WorkLedger) -> None:
        if time.monotonic() < self._next.get(ledger.account, 0.0):
            return
        if not DeadLetters(ledger, who="retention").purge(*self._keep):
            self._next[ledger.account] = time.monotonic() + PURGE_SECONDS


class Memory:
    """Refuses bulk jobs before Redis is full, and then all: ``accept`` reads the account's ``full``."""

    def __init__(self) -> None:
        self._clear_until: dict[str, float] = {}

    def __call__(self, ledger: WorkLedger) -> None:
        info = ledger.link.command("INFO", "memory").decode()
        values = dict(line.split(":", 1) for line in info.splitlines() if ":" in line)
        used, limit = int(values.get("used_memory", 0)), int(values.get("maxmemory", 0))
        full = "all" if used >= ALL_SHARE * limit else "bulk" if used >= BULK_SHARE * limit else ""
        if not limit:
            full = ""
        if not full and time.monotonic() < self._clear_until.get(ledger.account, 0.0):
            return  # looked at a moment ago; not for long, as another process may have led meanwhile
        key = f"{ledger.prefix}state"
        if full != (ledger.link.command("HGET", key, "full") or b"").decode():
            ledger.link.command("HSET", key, "full", full)
            extra = {"action": "memory", "full": full}
            log.critical("Redis memory: refusing %s", full or "nothing", extra=extra)
        self._clear_until[ledger.account] = 0.0 if full else time.monotonic() + CLEAR_SECONDS
