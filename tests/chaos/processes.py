"""Worker processes: each in its own session, known by its pid, restarted by a supervisor."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
QUIET = ("--without-gossip", "--without-mingle", "--without-heartbeat")


def children(pid: int) -> list[int]:
    """The processes whose parent is ``pid``."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                    found.append(int(entry.name))
    return found


def alive(pid: int) -> bool:
    """Whether ``pid`` is a process that has not ended."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


class Worker:
    """One Celery worker process. ``slots`` is how many calls it can have in flight."""

    def __init__(
        self,
        name: str,
        env: dict[str, str],
        logs: Path,
        *,
        app: str = "worker.app",
        queues: Sequence[str] = ("urgent", "normal", "bulk", "intake"),
        pool: str = "threads",
        slots: int = 8,
    ) -> None:
        self.name, self.env, self.slots, self.pool = name, env, slots, pool
        self.log = logs / f"{name}.log"
        self.command = [
            sys.executable, "-m", "celery", "-A", app, "worker", "-Q", ",".join(queues), "--pool", pool,
            "-c", str(slots), "-n", f"{name}@chaos", "-l", "INFO", *QUIET,
        ]  # fmt: skip
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> Worker:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, stdout=log, stderr=log, cwd=ROOT, env=self.env, start_new_session=True
            )
        self.started = time.monotonic()
        return self

    def children(self) -> list[int]:
        return children(self.pid) if self.running else []

    def signal(self, number: int) -> None:
        """Send a signal to the main process, if it lives."""
        if self.running:
            os.kill(self.pid, number)

    def kill(self, whole: bool = False) -> None:
        """SIGKILL the main process, or with ``whole`` its children too, as when a machine dies."""
        process = self.process
        if process is None or process.poll() is not None:
            return
        below = children(process.pid) if whole else []
        process.kill()
        for pid in below:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()

    def stop(self, timeout: float = 40.0) -> float:
        """SIGTERM, and the seconds it took; after ``timeout`` it is killed and ``TimeoutError`` raised."""
        began = time.monotonic()
        if self.process is None or not self.running:
            return 0.0
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill(whole=True)
            raise TimeoutError(f"{self.name} did not end within {timeout} s of SIGTERM") from None
        return time.monotonic() - began


class Beat(Worker):
    """One beat process, as the Procfile starts it; it makes no calls."""

    def __init__(self, name: str, env: dict[str, str], logs: Path) -> None:
        super().__init__(name, env, logs, slots=0)
        scheduler = ("--scheduler", "worker.beat.Scheduler", "--pidfile=")
        self.command = [sys.executable, "-m", "celery", "-A", "worker.app", "beat", *scheduler]


class Supervisor:
    """Restarts workers that ended without being told to, as systemd or a platform would."""

    def __init__(self, restart_seconds: float = 0.2) -> None:
        self.restart_seconds = restart_seconds
        self.workers: list[Worker] = []
        self.restarts = 0
        self._ending = threading.Event()
        self._lock = threading.RLock()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="supervisor")
        self._thread.start()

    def add(self, worker: Worker) -> Worker:
        with self._lock:
            self.workers.append(worker.start())
        return worker

    def release(self, worker: Worker) -> None:
        """Watch this one no longer."""
        with self._lock, contextlib.suppress(ValueError):
            self.workers.remove(worker)

    def _watch(self) -> None:
        while not self._ending.wait(self.restart_seconds):
            with self._lock:
                for worker in self.workers:
                    if not worker.running:
                        self.restarts += 1
                        worker.start()

    def stop_all(self, timeout: float = 40.0) -> list[float]:
        """End every worker with SIGTERM, all at once; the seconds each took."""
        with self._lock:
            going, self.workers = self.workers, []
        for worker in going:
            worker.signal(signal.SIGCONT)
            worker.signal(signal.SIGTERM)
        return [worker.stop(timeout) for worker in going]

    def kill_all(self) -> None:
        with self._lock:
            going, self.workers = self.workers, []
        for worker in going:
            worker.kill(whole=True)

    def close(self) -> None:
        self._ending.set()
        self._thread.join(5)
        self.kill_all()


def wait_until(condition: Callable[[], object], timeout: float, what: str, interval: float = 0.05) -> None:
    """Poll until ``condition()`` is true; raises ``TimeoutError`` that says ``what`` did not happen."""
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {timeout} s")
        time.sleep(interval)
