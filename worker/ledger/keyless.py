"""An account whose key was taken from the workers takes no more jobs; those that it has wait for a key.

Each worker publishes which accounts it serves. An account that no living worker serves is marked, so that ``accept``
refuses its jobs. While no worker is alive nothing is known, and all jobs are accepted.
"""

from __future__ import annotations

import logging
import time

from interakt_jobs.ledger.keys import ACCOUNTS, KEYLESS, prefix
from interakt_jobs.ledger.redis_client import RedisClient
from worker.telemetry import sentry

from . import status
from .work_ledger import WorkLedger

log = logging.getLogger(__name__)
LOOK_SECONDS, SILENT_MS = 5.0, 60_000


class KeyWatch:
    """A chore of any worker: marks what nobody serves at two looks in a row, as a worker may just be starting."""

    def __init__(self) -> None:
        self._looked = 0.0
        self._unserved: set[str] = set()

    def __call__(self, ledger: WorkLedger) -> None:
        if time.monotonic() - self._looked >= LOOK_SECONDS:
            self._looked = time.monotonic()
            self.look(ledger.link)

    def look(self, link: RedisClient) -> None:
        living = [worker for worker in status.workers(link) if worker["age_ms"] < SILENT_MS]
        if not living or not all("accounts" in worker for worker in living):
            return  # an older worker does not say what it serves
        served = {name for worker in living for name in worker["accounts"]}
        known, marked = link.pipeline([["SMEMBERS", ACCOUNTS], ["SMEMBERS", KEYLESS]])
        unserved = {name.decode("utf-8", "replace") for name in known} - served
        for name in unserved & self._unserved:
            self._mark(link, name)
        for name in {name.decode("utf-8", "replace") for name in marked} & served:
            link.command("HDEL", f"{prefix(name)}state", "keyless")
            link.command("SREM", KEYLESS, name)
        self._unserved = unserved

    def _mark(self, link: RedisClient, name: str) -> None:
        if not link.command("HSETNX", f"{prefix(name)}state", "keyless", link.now_ms()):
            return
        link.command("SADD", KEYLESS, name)
        log.critical(
            "no worker has a key for this account any more: it takes no jobs, and those it has wait",
            extra={"action": "account_keyless", "account": name},
        )
        sentry.capture("account_keyless", "", "", 0, name)
