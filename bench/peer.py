"""One thing that is measured: how its workers are started, and how jobs are given to it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import environments, processes

Commands = Callable[[int], list[list[str]]]


@dataclass
class Peer:
    """A peer of the benchmark.

    ``module`` is its file in ``bench/peers``; ``environment`` the requirements it runs on (None: the
    project's own). ``workers(slots)`` gives the command lines of all its processes, without the interpreter.
    ``slots`` and ``rate`` say for each latency of the API (ms) how many jobs run at once, and a first guess
    of jobs a second. ``guarantee`` is what becomes of a job whose worker is killed.
    """

    name: str
    title: str
    module: str
    environment: str | None
    guarantee: str
    workers: Commands
    slots: dict[int, int]
    rate: dict[int, float]
    packages: tuple[str, ...] = ()
    bulk: bool = False
    environ: dict[str, str] = field(default_factory=dict)
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    log: Path = Path(os.devnull)

    def surroundings(self, redis_url: str, api_url: str, key: str, folder: Path) -> None:
        """Where the Redis, the API and the folder for logs of this run are; to be said before all else."""
        self.log = folder / f"{self.name}.log"
        kept = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
        self.environ = {name: os.environ[name] for name in kept if name in os.environ} | {
            "REDIS_URL": redis_url,
            "RQ_REDIS_URL": redis_url,
            "INTERAKT_API_KEY": key,
            "INTERAKT_BASE_URL": api_url,
            "INTERAKT_CALLS_PER_MINUTE": "1000000",
        }

    def start(self, slots: int) -> list[int]:
        """Start the workers with ``slots`` jobs at once in all; gives their process ids."""
        environ = self.environ | {"BENCH_SLOTS": str(slots)}
        for command in self.workers(slots):
            line = [environments.python(self.environment), *command]
            self.running.append(processes.start(line, environ, self.log))
        return [process.pid for process in self.running]

    def alive(self) -> bool:
        return all(process.poll() is None for process in self.running)

    def stop(self) -> None:
        processes.stop(self.running)
        self.running.clear()

    def words(self, size: int = 2000) -> str:
        """The end of what the workers wrote."""
        return self.log.read_text(errors="replace")[-size:] if self.log.exists() else ""

    def enqueue(self, count: int) -> dict[str, float]:
        """Queue ``count`` jobs in a process of its own: ``count``, ``seconds`` and ``cpu_seconds``."""
        made: dict[str, float] = self._produce("many" if self.bulk else "one", str(count))
        return made

    def enqueue_paced(self, count: int) -> dict[str, float]:
        """Queue ``count`` jobs 15 to 45 ms apart: for each id the epoch seconds of the call."""
        return dict(self._produce("paced", str(count))["calls"])

    def versions(self) -> dict[str, str]:
        found: dict[str, str] = self._produce("versions", *self.packages)
        return found

    def _produce(self, *arguments: str) -> Any:
        command = [environments.python(self.environment), "-m", "bench.produce", self.module, *arguments]
        done = subprocess.run(
            command, cwd=processes.ROOT, env=self.environ, capture_output=True, text=True, timeout=300
        )
        if done.returncode:
            raise RuntimeError(f"{self.name}: {' '.join(arguments)} failed\n{done.stderr[-2000:]}")
        return json.loads(done.stdout.splitlines()[-1])
