"""This process among the workers: the leases it renews, the threads it could use, and its entry in ``{ij1:workers}``."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence

from interakt_jobs.errors import JobError, LedgerDamaged
from interakt_jobs.ledger.keys import NEWEST, WORKERS
from interakt_jobs.ledger.redis_client import RedisClient
from worker.ledger.work_ledger import Work, WorkLedger, load
from worker.shutdown import stopping
from worker.threads import SupervisedThread, Supervisor

from .concurrency import ConcurrencyTuner

BEAT = load("beat")
BEAT_SECONDS = 2.0


class Heartbeat:
    """Renews leases, and publishes how many jobs this process wants in flight.

    ``queues`` are the Celery queues it serves, ``accounts`` those it has keys for, ``tuner.slots`` its threads or processes,
    ``watch`` its supervised threads. ``on_beat`` is called with the time (ms) of the newest beat in Redis before ours.
    """

    def __init__(self, link: RedisClient, *, lease_seconds: float, queues: Sequence[str] = ()) -> None:
        self.link, self.queues = link, list(queues)
        self.accounts: list[str] = []
        self.token = uuid.uuid4().hex[:12]
        self.tuner = ConcurrencyTuner(1)
        self._beat = min(BEAT_SECONDS, lease_seconds / 3)
        self._held: dict[tuple[str, str, int], WorkLedger] = {}
        self._calls: dict[str, float] = {}
        self._lock = threading.Lock()
        self._thread: SupervisedThread | None = None
        self.watch = Supervisor()
        self._told, self._began = 0.0, time.monotonic()
        self._pid = os.getpid()
        self._looped = 0.0
        self.on_beat: Callable[[int], object] = lambda newest: None
        self.before: Callable[[], object] = lambda: None
        self._again = "0"

    def hold(self, ledger: WorkLedger, works: Sequence[Work]) -> None:
        """Keep the leases of claimed jobs alive from now on."""
        self.start()
        for work in works:
            self._held[ledger.account, work.job_key, work.fence] = ledger

    def drop(self, ledger: WorkLedger, works: Sequence[Work]) -> None:
        """Renew these no longer: they are settled, not ours, or left to the reaper."""
        for work in works:
            self._held.pop((ledger.account, work.job_key, work.fence), None)

    @contextlib.contextmanager
    def calling(self, work: Work) -> Iterator[None]:
        """Around the HTTP call: calls that hang are not counted among the threads in use."""
        self._calls[work.job_key] = time.monotonic()
        try:
            yield
        finally:
            self._calls.pop(work.job_key, None)

    def consumed(self) -> None:
        """Called by the loop that takes messages in, which also looks after the threads: ``health`` says when it stops."""
        self._looped = time.monotonic()
        self.watch.restart_ended()
        self.start()

    def start(self) -> None:
        """Begin to beat, if this process does not: in a worker's main process, and in a forked child that holds jobs."""
        if self._thread is not None and self._thread.is_alive() and self._pid == os.getpid():
            return
        with self._lock:
            if self._thread is None or not self._thread.is_alive() or self._pid != os.getpid():
                if self._pid != os.getpid():
                    self._held.clear()
                    self._calls.clear()
                    self.queues = []
                    self._pid = os.getpid()
                self._thread = SupervisedThread(
                    "heartbeat", self._turn, lambda: stopping() and not self._held
                )
                self._thread.start()

    def _turn(self) -> None:
        self.before()
        self._renew()
        now = time.monotonic()
        if self.queues and (now - self._told >= BEAT_SECONDS or self.tuner.changed(self._hanging())):
            self._tell()
            self._told = now
        time.sleep(min(self._beat, 0.5 if self._held else self._beat))

    def _renew(self) -> None:
        by_account: dict[WorkLedger, list[tuple[str, int]]] = {}
        for (_, job_key, fence), ledger in list(self._held.items()):
            by_account.setdefault(ledger, []).append((job_key, fence))
        for ledger, jobs in by_account.items():
            with contextlib.suppress(LedgerDamaged):  # what sets it aside logs it
                ledger.renew(jobs)

    def _hanging(self) -> int:
        limit = time.monotonic() - 1.0
        return sum(began < limit for began in list(self._calls.values()))

    def _tell(self) -> None:
        want = self.tuner.want(self._hanging())
        entry = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "queues": self.queues,
            "slots": self.tuner.slots,
            "want": want,
            "loop_ms": int((time.monotonic() - self._looped) * 1000) if self._looped else 0,
            "up_ms": int((time.monotonic() - self._began) * 1000),
            "still_ms": self.watch.still(),
            "accounts": self.accounts,
        }
        text = json.dumps(entry, separators=(",", ":"))[1:]
        newest = self.link.run(BEAT, [WORKERS, NEWEST], self.token, text, self._again)
        self._again = "1"
        self.on_beat(int(newest))

    def leave(self) -> None:
        """Take the entry out at the end."""
        with contextlib.suppress(JobError):
            self.link.command("HDEL", WORKERS, self.token)
