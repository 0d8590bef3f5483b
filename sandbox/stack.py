"""A whole stack on loopback: Valkey, a sandbox, workers, beat, web; for the demo, the system tests and the benchmarks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from .control import Sandbox
from .valkey import Valkey, free_port

ROOT = Path(__file__).resolve().parent.parent


class Stack:
    """Starts processes with one environment and stops them all, by pid, at the end.

    ``env`` are further settings, such as ``{"INTERAKT_HOLD_SECONDS": "1"}``; ``options`` are the sandbox's.
    Each process writes its output to ``logs/<name>.log``.
    """

    def __init__(
        self, *, calls_per_minute: int = 600, env: dict[str, str] | None = None, **options: Any
    ) -> None:
        self.valkey = Valkey()
        self.sandbox = Sandbox(**{"calls_per_minute": calls_per_minute, **options})
        self.calls_per_minute = calls_per_minute
        self.extra = env or {}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._directory = tempfile.TemporaryDirectory(prefix="stack-")
        self.logs = Path(self._directory.name)
        self.web_port = free_port()

    @property
    def environment(self) -> dict[str, str]:
        """What the processes see: the settings and nothing of ours that the machine has set."""
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith(("INTERAKT_", "SENTRY_"))
        }
        return {
            **clean,
            "REDIS_URL": self.valkey.url,
            "INTERAKT_API_KEY": self.sandbox.key,
            "INTERAKT_BASE_URL": self.sandbox.base_url,
            "INTERAKT_CALLS_PER_MINUTE": str(self.calls_per_minute),
            "INTERAKT_WEBHOOK_SECRET": "sandbox-webhook-secret",
            "INTERAKT_SPOOL_DIR": str(self.logs / "spool"),
            "PORT": str(self.web_port),
            **self.extra,
        }

    @property
    def webhook_url(self) -> str:
        return f"http://127.0.0.1:{self.web_port}/webhooks/interakt"

    def __enter__(self) -> Stack:
        self.valkey.start()
        self.sandbox.start()
        return self

    def run(self, name: str, *arguments: str, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start ``python -m arguments`` in its own session."""
        with (self.logs / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=ROOT,
                env={**self.environment, **(env or {})},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes[name] = process
        return process

    def worker(
        self,
        name: str = "worker",
        queues: str = "urgent,normal,intake",
        *,
        pool: str = "threads",
        concurrency: int = 8,
        env: dict[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a worker; it is ready when ``wait_for_workers`` returns."""
        own = ("--pool", pool, "-c", str(concurrency), "-n", f"{name}@%h")
        return self.run(name, "worker", "run", "-Q", queues, *own, env=env)

    def bulk(self, name: str = "bulk", concurrency: int = 32) -> subprocess.Popen[bytes]:
        return self.worker(name, "bulk", concurrency=concurrency)

    def web(self) -> subprocess.Popen[bytes]:
        process = self.run("web", "worker", "web", "--port", str(self.web_port))
        self._until(lambda: _answers(f"http://127.0.0.1:{self.web_port}/healthz"), "the web process")
        return process

    def beat(self) -> subprocess.Popen[bytes]:
        return self.run(
            "beat",
            "celery",
            "-A",
            "worker.app",
            "beat",
            "--scheduler",
            "worker.beat.Scheduler",
            "--pidfile=",
        )

    def wait_for_workers(self, number: int = 1, timeout: float = 120.0) -> None:
        """Wait until so many worker processes have told of themselves; ``TimeoutError`` shows their logs' ends."""
        from redis import Redis

        with Redis.from_url(self.valkey.url) as client:
            self._until(lambda: client.hlen("{ij1:workers}") >= number, f"{number} workers", timeout)

    def _until(self, true: Any, what: str, timeout: float = 120.0) -> None:
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if true():
                return
            for name, process in self.processes.items():
                if process.poll() is not None:
                    raise RuntimeError(f"{name} exited with {process.returncode}:\n{self.tail(name)}")
            time.sleep(0.02)
        raise TimeoutError(
            f"{what} did not come within {timeout} s:\n" + "\n".join(map(self.tail, self.processes))
        )

    def tail(self, name: str, characters: int = 3000) -> str:
        """The end of a process's log."""
        return (self.logs / f"{name}.log").read_text(errors="replace")[-characters:]

    def lines(self, name: str, action: str) -> list[dict[str, Any]]:
        """What a process has logged with this action."""
        found = (self.logs / f"{name}.log").read_text(errors="replace").splitlines()
        return [json.loads(line) for line in found if line.endswith("}") and f'"action": "{action}"' in line]

    def end(self, name: str, timeout: float = 120.0) -> int:
        """SIGTERM, wait, and the exit code."""
        process = self.processes.pop(name)
        process.terminate()
        return process.wait(timeout)

    def kill(self, name: str) -> None:
        """SIGKILL to the whole session of a process."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def __exit__(self, *exc: object) -> None:
        for process in self.processes.values():
            if process.poll() is None:
                process.terminate()
        for process in self.processes.values():
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.sandbox.stop()
        self.valkey.stop()
        self._directory.cleanup()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310  loopback
            return int(answer.status) == 200
    except (OSError, urllib.error.URLError):
        return False
