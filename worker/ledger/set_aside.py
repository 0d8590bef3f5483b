"""Keys that hold something else than the ledger put there: set aside, named once, and the jobs that were in them put back.

Scripts set aside what stops them (prelude.lua); here it is done for the keys that only commands use.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterable, Sequence

from interakt_jobs.errors import JobError
from interakt_jobs.ledger.keys import ACCOUNTS, AUDIT, BEAT, CELERY, LATER, NEWEST, POISON, WORKERS
from interakt_jobs.ledger.redis_client import RedisClient
from worker.telemetry import sentry

from .work_ledger import LANES, WorkLedger, load

log = logging.getLogger(__name__)
REGAIN = load("regain")
PAGE = 500
HOLDERS = (
    "ready:",
    "rel:",
    "run:",
    "held",
    "waiting_for_template:",
    "templates_waiting",
    "doubt:",
    "dead",
    "expires",
)
OWN = {
    "hash": ["used", "groups", "count", "fl", "tries", "possibly_sent", "ending"],
    "zset": ["held", "expires", "dead", "failed", *(f"{kind}:{lane}" for kind in ("ready", "rel", "run") for lane in LANES)],
    "set": ["templates_waiting", "campaigns_on"],
    "list": ["outbox", "signal"],
    "stream": ["audit", "webhooks", "webhooks:unread"],
}  # fmt: skip
SHARED = {
    "string": [NEWEST],
    "hash": [WORKERS],
    "zset": [f"{BEAT}:index"],
    "set": [ACCOUNTS],
    "list": [LATER, *(f"{CELERY}{queue}" for queue in (*LANES, "intake"))],
    "stream": [POISON, AUDIT],
}
# kombu's own connection met a key of the wrong type
suspected = threading.Event()


class SetAside:
    """What a worker process does about such keys."""

    def __init__(self, link: RedisClient, ledgers: Iterable[WorkLedger]) -> None:
        self.link, self.ledgers = link, list(ledgers)
        self._named: set[str] = set()
        self._busy: threading.Thread | None = None

    def look(self) -> None:
        """If a command met such a key: find it, set it aside, name it."""
        if not self.link.damaged and not suspected.is_set():
            return
        self.link.damaged = False
        suspected.clear()
        for kind, keys in SHARED.items():
            for key in keys:
                if self.link.command("TYPE", key) not in (b"none", kind.encode()):
                    self._rename_shared(key)
        for ledger in self.ledgers:
            names = [(name, kind) for kind, each in OWN.items() for name in each]
            found = self.link.pipeline([("TYPE", ledger.prefix + name) for name, _ in names])
            for (name, kind), is_now in zip(names, found, strict=True):
                if is_now not in (b"none", kind.encode()):
                    self._rename(ledger.prefix, name, is_now.decode())

    def _rename_shared(self, key: str) -> None:
        with contextlib.suppress(JobError):  # another has done it
            tag, _, name = key.partition("}")  # the place must be in the key's slot, and no queue of Celery's
            self.link.command("RENAME", key, f"{tag}}}aside{name}:{time.time_ns() // 1000}")
            self._name(key)

    def _rename(self, prefix: str, name: str, kind: str) -> None:
        place = f"{prefix}aside:{name}:{time.time_ns() // 1000}"
        try:
            self.link.command("RENAME", prefix + name, place)
        except JobError:
            return  # another has done it
        self.link.pipeline(
            [("HSET", f"{prefix}aside", name, f"{kind} {place}"), ("RPUSH", f"{prefix}astray", name)]
        )

    def named(self, ledger: WorkLedger, names: Sequence[str]) -> None:
        """Name what was set aside of one account, and put back what was in it."""
        for name in names:
            self._name(ledger.prefix + name)
        if self._busy is None or not self._busy.is_alive():
            self._busy = threading.Thread(
                target=self._regain, args=(ledger, names), name="regain", daemon=True
            )
            self._busy.start()

    def _name(self, key: str) -> None:
        if key not in self._named:
            self._named.add(key)
            log.critical(
                "%s held something else and was set aside", key, extra={"action": "key_set_aside", "key": key}
            )
            sentry.capture("key_set_aside", "ledger", "", 0, "")

    def _regain(self, ledger: WorkLedger, names: Sequence[str]) -> None:
        try:
            if any(name.startswith(HOLDERS) for name in names):
                found = regain(ledger)
                log.warning(
                    "%d jobs were put back",
                    found,
                    extra={"action": "jobs_regained", "account": ledger.account},
                )
            for name in names:
                self.link.command("LREM", f"{ledger.prefix}astray", 0, name)
                self._named.discard(ledger.prefix + name)
        except JobError as error:
            log.warning("jobs are not yet put back: %s", error, extra={"action": "ledger_away"})


def regain(ledger: WorkLedger) -> int:
    """Put every job of the account that is in no place back into its own; returns how many."""
    cursor, found, own = b"0", 0, f"{ledger.prefix}j:"
    flights = ledger.link.command("HKEYS", f"{ledger.prefix}fl")  # of records that are gone, too
    if flights:
        found += ledger.link.run(REGAIN, [ledger.prefix], ledger.lease_ms, *flights)
    while True:
        cursor, keys = ledger.link.command("SCAN", cursor, "MATCH", f"{own}*", "COUNT", PAGE)
        if keys:
            job_keys = [key[len(own) :] for key in keys]
            found += ledger.link.run(REGAIN, [ledger.prefix], ledger.lease_ms, *job_keys)
        if cursor == b"0":
            return found
