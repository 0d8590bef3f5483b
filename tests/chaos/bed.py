"""The test bed: one Redis behind a proxy, one sandbox, and a ``Trial`` for each fault."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path
from types import TracebackType
from typing import Any

import redis

from interakt_jobs.ledger.keys import WORKERS, prefix
from sandbox.control import Sandbox
from sandbox.valkey import Valkey, free_port
from tests.chaos.load import Load, text_payload
from tests.chaos.oracle import Call, Verdict, judge
from tests.chaos.processes import ROOT, Beat, Supervisor, Worker, wait_until
from tests.chaos.proxied import ProxyProcess
from tests.chaos.state import Reader

RATE, WINDOW = 600, 2.0
SECRET = "chaos-webhook-secret"
TIMERS = {
    "INTERAKT_LEASE_SECONDS": "3",
    "INTERAKT_RELEASE_SECONDS": "2",
    "INTERAKT_HOLD_SECONDS": "1",
    "INTERAKT_OTP_HOLD_SECONDS": "0.5",
    "INTERAKT_NEVER_HOLD_SECONDS": "1",
    "INTERAKT_RETRY_BASE_SECONDS": "0.1",
    "INTERAKT_HTTP_DEADLINE_SECONDS": "1",
}
OURS = ("INTERAKT_", "REDIS_URL", "SENTRY_", "CELERY_")


class Bed:
    """What all faults share. ``RATE`` calls are allowed in each ``WINDOW`` seconds."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.directory = Path(tempfile.mkdtemp(prefix="chaos-"))
        self.valkey = Valkey().start()
        self.proxy = ProxyProcess(self.valkey.port)
        self.sandbox = Sandbox(calls_per_minute=0, relaxed=True, permissive=True, keep_bodies=0).start()
        self.redis: Any = redis.Redis.from_url(self.valkey.url, socket_timeout=30)

    def env(self, redis_url: str, **changes: str) -> dict[str, str]:
        """A worker's environment, with timers shrunk so that minutes become seconds."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        return kept | {
            "REDIS_URL": redis_url,
            "INTERAKT_API_KEY": self.sandbox.key,
            "INTERAKT_BASE_URL": self.sandbox.base_url,
            "INTERAKT_CALLS_PER_MINUTE": str(round(RATE * 60 / WINDOW)),
            "INTERAKT_WINDOW_SECONDS": str(WINDOW),
            **TIMERS,
            **changes,
        }

    def trial(self, name: str, rounds: int) -> Trial:
        """A clean start for one fault."""
        self.proxy.calm()
        self.redis.flushall()
        self.sandbox.reset()
        self.sandbox.faults()
        return Trial(self, name, rounds)

    def close(self, keep: bool = False) -> None:
        """Stop everything; with ``keep`` the logs of the workers stay."""
        self.redis.close()
        self.proxy.stop()
        self.sandbox.stop()
        self.valkey.stop()
        if not keep:
            shutil.rmtree(self.directory, ignore_errors=True)


class Trial:
    """One fault's run: its workers and producers, what it may cost, and the verdict."""

    def __init__(self, bed: Bed, name: str, rounds: int) -> None:
        self.bed, self.name, self.rounds = bed, name, rounds
        self.seed = zlib.crc32(f"{bed.seed} {name}".encode())
        self.random = random.Random(self.seed)
        self.directory = Path(tempfile.mkdtemp(prefix="", dir=bed.directory))
        self.supervisor = Supervisor()
        self.reader = Reader(bed.valkey.url)
        self.bound = 0
        self.quiet_seconds = 60.0  # without any progress, before what is left counts as stuck
        self.accepted: dict[str, str] = {}
        self.uncertain = 0
        self.free_statuses = frozenset({429, 401, 403})
        self.failed: list[str] = []
        self.loads: list[Load] = []
        self.receiver: subprocess.Popen[bytes] | None = None
        self.began = time.monotonic()
        bed.redis.hset(f"{prefix('default')}state", "receipts_at", str(int(time.time() * 1000)))

    def __enter__(self) -> Trial:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for load in self.loads:
            if load.going:
                load.kill()
        self.supervisor.close()
        if self.receiver is not None:
            self.receiver.terminate()
            self.receiver.wait(10)

    def web(self, **hook: Any) -> None:
        """Start the web process and let the provider tell it of each message; ``hook`` as in docs/sandbox.md."""
        port, url = free_port(), self.bed.valkey.url
        env = self.bed.env(
            url, INTERAKT_WEBHOOK_SECRET=SECRET, INTERAKT_SPOOL_DIR=str(self.directory / "spool")
        )
        with (self.directory / "web.log").open("ab") as log:
            command = [sys.executable, "-m", "worker", "web", "--port", str(port)]
            self.receiver = subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT, env=env)
        wait_until(lambda: _listens(port), 120, "the web process serves")
        told = {"delay_ms": [50, 300], "seed": self.seed, **hook}
        self.bed.sandbox.webhooks(url=f"http://127.0.0.1:{port}/webhooks/interakt", secret=SECRET, **told)

    def worker(
        self,
        name: str = "a",
        *,
        pool: str = "threads",
        slots: int = 8,
        queues: str = "urgent,normal,bulk,intake",
        app: str = "worker.app",
        proxied: bool = False,
        ready: bool = True,
        env: dict[str, str] | None = None,
    ) -> Worker:
        """Start a supervised worker; with ``ready`` wait until it says that it serves."""
        url = self.bed.proxy.url if proxied else self.bed.valkey.url
        made = Worker(
            name,
            self.bed.env(url, **(env or {})),
            self.directory,
            app=app,
            queues=queues.split(","),
            pool=pool,
            slots=slots,
        )
        self.supervisor.add(made)
        if ready:
            self.wait_ready(made)
        return made

    def beat(self, name: str) -> Beat:
        """Start a supervised beat."""
        made = Beat(name, self.bed.env(self.bed.valkey.url), self.directory)
        self.supervisor.add(made)
        return made

    def wait_ready(self, worker: Worker, timeout: float = 120.0) -> None:
        """Until the process, restarted or not, is among the living workers."""
        wait_until(lambda: self.serves(worker), timeout, f"{worker.name} serves; see {worker.log}")
        if worker.pool == "prefork":
            wait_until(worker.children, timeout, f"{worker.name} has children")

    def serves(self, worker: Worker) -> bool:
        """Whether the present process of ``worker`` has registered."""
        entries = self.bed.redis.hvals(WORKERS)
        return worker.running and any(f'"pid":{worker.pid},'.encode() in entry for entry in entries)

    def load(self, jobs: int = 0, *, rate: float = 0, mix: str = "mixed", proxied: bool = False) -> Load:
        """Start a producer process, at most ``rate`` jobs a second, 0 for as fast as it goes; ``Load.more`` asks for more.

        A fault of several rounds asks for each round's jobs when it begins: on any machine each meets the same load.
        """
        url = self.bed.proxy.url if proxied else self.bed.valkey.url
        out = self.directory / f"accepted-{len(self.loads)}"
        made = Load.start(url, out, jobs, rate=rate, seed=self.seed + len(self.loads), mix=mix)
        self.loads.append(made)
        return made

    def latency(self, low: float = 20, high: float = 80) -> None:
        """The provider takes ``low`` to ``high`` milliseconds a call."""
        self.bed.sandbox.faults(latency_ms=[low, high], seed=self.seed)

    def in_flight(self) -> int:
        """Calls that have been started and not settled, as the ledger has them."""
        return sum(
            self.bed.redis.zcard(f"{prefix('default')}run:{lane}") for lane in ("urgent", "normal", "bulk")
        )

    def wait_busy(self, least: int = 1, timeout: float = 120.0) -> None:
        """Until calls are in flight, or the producers have nothing more to make."""
        wait_until(
            lambda: self.in_flight() >= least or not any(load.going for load in self.loads),
            timeout, "calls in flight", 0.005,
        )  # fmt: skip

    def expect(self, holds: object, sentence: str) -> None:
        """Beyond the oracle: ``sentence`` goes into the verdict when it does not hold."""
        if not holds:
            self.failed.append(sentence)

    def calls(self) -> list[Call]:
        """Every call that the provider saw."""
        return [Call(a.arrived, a.job or "", a.status, a.accepted) for a in self.bed.sandbox.arrivals()]

    def verdict(self) -> Verdict:
        """Wait for the producers and for quiet, send a canary, and judge."""
        for load in self.loads:
            load.wait()
            self.accepted |= load.accepted()
            self.uncertain += load.uncertain()
            for name in load.undeclared():
                self.expect(False, f"a producer met {name}, which no caller would catch")
        rest = self.reader.settle_down(self.quiet_seconds)
        canary = self._canary()
        rest = rest or self.reader.settle_down(self.quiet_seconds)
        found = self.reader.snapshot(identity.split(".", 2)[2] for identity in self.accepted)
        alive = all(worker.running for worker in self.supervisor.workers)
        verdict = judge(
            self.accepted, found, self.calls(), bound=self.bound, limit=RATE, window=WINDOW,
            uncertain=self.uncertain, alive=alive, canary=canary, free_statuses=self.free_statuses, rest=rest,
        )  # fmt: skip
        verdict.errors += self.failed
        return verdict

    def _canary(self) -> bool:
        from interakt_jobs import configure, send_text

        configure(self.bed.valkey.url, allow_unregistered=True)
        if not self.supervisor.workers:
            self.worker("canary")
        job = send_text.delay(text_payload(0), lane="urgent", repeat="never")
        self.accepted[job.id] = "never"
        try:
            wait_until(lambda: job.ready(), self.quiet_seconds, "the canary ends")
        except TimeoutError:
            return False
        return True


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
