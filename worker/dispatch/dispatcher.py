"""The dispatcher: waits for the accounts' signals and keeps each lane's queue filled with about half a second of work.

It takes no permit: ``start`` does. For each account one worker dispatches, by a lease of two seconds; any worker can.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from interakt_jobs.errors import LedgerDamaged, LedgerFull, LedgerUnreachable
from interakt_jobs.ledger.constants import LANES
from interakt_jobs.ledger.keys import WORKERS
from interakt_jobs.ledger.redis_client import RedisClient
from worker.ledger.work_ledger import WorkLedger
from worker.threads import SupervisedThread, log_waiting

log = logging.getLogger(__name__)
Publish = Callable[[str, str, list[str]], None]
STALE_MS, FORGET_MS = 10_000, 600_000
LOOK_SECONDS, RENEWED_SECONDS = 1.0, 3.0


class Dispatcher:
    """Ticks for every account; ``publish(lane, account, job_keys)`` sends a wake-up.

    ``chores`` are called once a second for each account this dispatcher leads: the reaper and its like.
    """

    def __init__(
        self,
        link: RedisClient,
        ledgers: Sequence[WorkLedger],
        publish: Publish,
        chores: Sequence[Callable[[WorkLedger], object]] = (),
        chore_seconds: float = 1.0,
    ) -> None:
        self.link, self.ledgers, self.publish, self.chores = link, list(ledgers), publish, chores
        self.token = uuid.uuid4().hex
        self._chore_seconds = chore_seconds
        self._wanted: dict[str, int] = {}
        self._looked = 0.0
        self._next: dict[str, float] = {}
        self._leads: set[str] = set()
        self._chored: dict[str, float] = {}
        self._chores_from = 0.0

    def thread(self) -> SupervisedThread:
        """The thread that dispatches, not yet started."""
        return SupervisedThread("dispatcher", self._turn, leave=self._leave)

    def _turn(self) -> None:
        try:
            self._round()
        except LedgerUnreachable:
            # workers must have renewed the leases of their jobs before the reaper looks for leases that have ended
            self._chores_from = time.monotonic() + RENEWED_SECONDS
            raise

    def _round(self) -> None:
        began = time.monotonic()
        if began - self._looked >= LOOK_SECONDS and (self._leads or not self._wanted):
            self._wanted = wanted_in_flight(self.link)
            self._looked = began
        for ledger in self.ledgers:
            if self._next.get(ledger.account, 0.0) <= time.monotonic():
                # before the tick: an account whose tick fails waits a second and does not stop the others
                self._next[ledger.account] = time.monotonic() + LOOK_SECONDS
                self._guarded(self._tick, ledger)
        self._listen(began)

    def _guarded(self, action: Callable[[WorkLedger], object], ledger: WorkLedger) -> None:
        try:
            action(ledger)
        except LedgerDamaged as error:
            log_waiting("the dispatcher", error)
        except LedgerUnreachable:
            raise
        except LedgerFull as error:
            log.error(
                "Redis is full",
                extra={"action": "redis_full", "account": ledger.account, "error": str(error)},
            )
        except Exception as error:  # noqa: BLE001  neither another account nor another chore may suffer from it
            extra = {"action": "dispatcher_failed", "account": ledger.account, "error": type(error).__name__}
            log.error("dispatcher failed", extra=extra)

    def _tick(self, ledger: WorkLedger) -> None:
        released = ledger.release(self.token, self._share())
        now = time.monotonic()
        self._next[ledger.account] = now + min(LOOK_SECONDS, max(0.001, released.millis / 1000))
        if not released.leads:
            self._leads.discard(ledger.account)
            return
        self._leads.add(ledger.account)
        for lane in LANES:
            for job_key in released.job_keys.get(lane, ()):
                self.publish(lane, ledger.account, [job_key])
        if now >= max(self._chores_from, self._chored.get(ledger.account, 0.0) + self._chore_seconds):
            self._chored[ledger.account] = now
            for chore in self.chores:
                self._guarded(chore, ledger)

    def _share(self) -> dict[str, int]:
        """What one of several accounts may have in flight, so that calls that hang leave threads to the others."""
        accounts = len(self.ledgers)
        return {lane: math.ceil(2 * number / (accounts + 1)) for lane, number in self._wanted.items()}

    def _listen(self, began: float) -> None:
        """Sleep until an account that we lead has a signal, or until the next tick is due."""
        due = min(self._next.values(), default=began + LOOK_SECONDS)
        pause = min(LOOK_SECONDS, due - time.monotonic())
        if pause <= 0:
            return
        signals = {
            f"{each.prefix}signal".encode(): each.account
            for each in self.ledgers
            if each.account in self._leads
        }
        if not signals or pause < 0.01:
            time.sleep(pause)
            return
        heard = self.link.command("BLPOP", *signals, f"{pause:.3f}", timeout=pause + 5)
        if heard:
            self._next[signals[heard[0]]] = 0.0
            # a burst of signals is one tick: at most one each two milliseconds
            time.sleep(max(0.0, 0.002 - (time.monotonic() - began)))

    def _leave(self) -> None:
        for ledger in self.ledgers:
            with contextlib.suppress(LedgerDamaged):
                ledger.release(self.token, {}, leave=True)


def wanted_in_flight(link: RedisClient) -> dict[str, int]:
    """Jobs that the living workers want in flight, by lane."""
    wanted = dict.fromkeys(LANES, 0)
    found = link.command("HGETALL", WORKERS)
    entries: dict[bytes, tuple[int, dict[str, int]]] = {}
    for token, raw in zip(found[::2], found[1::2], strict=True):
        try:
            entry = json.loads(raw)
            lanes = {lane: _most(entry, lane) for lane in entry["queues"] if lane in wanted}
            entries[token] = int(entry["at"]), lanes
        except (ValueError, KeyError, TypeError):
            link.command("HDEL", WORKERS, token)
    # this process is a worker too, so the newest entry is at most a beat old, and no clock is needed
    newest = max((at for at, _ in entries.values()), default=0)
    for token, (at, lanes) in entries.items():
        if newest - at > FORGET_MS:
            link.command("HDEL", WORKERS, token)
        elif newest - at <= STALE_MS:
            for lane, want in lanes.items():
                wanted[lane] += want
    return wanted


def _most(entry: dict[str, Any], lane: str) -> int:
    """What one worker wants of a lane; where it serves urgent too, the other lanes get three quarters of its threads."""
    want = int(entry["want"])
    slots = int(entry.get("slots") or want)
    shared = lane != "urgent" and "urgent" in entry["queues"]
    return min(want, max(1, slots * 3 // 4)) if shared else want
