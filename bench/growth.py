"""``python -m bench.growth``: what grows with the backlog, the work done and the number of processes, and what does not."""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import growth_page, machine, processes
from bench.measure import Place
from bench.peer import Peer
from bench.roster import PEERS, procfile
from interakt_jobs.ledger.keys import WORKERS
from sandbox.control import Sandbox
from sandbox.valkey import Valkey

PATH = processes.ROOT / "bench" / "growth.json"
WINDOW, EARLY = 4_000, 1_000


class Growth:
    """Measures on one Valkey and one sandbox; ``quick`` takes small numbers."""

    def __init__(self, place: Place, peer: Peer, quick: bool) -> None:
        self.place, self.peer, self.quick = place, peer, quick
        self.backlogs = (1_000, 30_000) if quick else (1_000, 1_000_000)
        self.jobs = 10_000 if quick else 100_000
        self.crowds = (1, 4) if quick else (1, 8, 64)

    @contextlib.contextmanager
    def workers(self, kind: str, number: int, slots: int = 96) -> Iterator[list[int]]:
        """So many processes as the Procfile has them; gives their ids once all have told of themselves."""
        started = [
            processes.start(
                [sys.executable, *procfile(kind, slots, f"{kind}{index}")],
                self.peer.environ,
                self.peer.log,
            )
            for index in range(number)
        ]
        try:
            self.until(lambda: int(self.place.redis.hlen(WORKERS)) >= number, started)  # type: ignore[arg-type]
            yield [process.pid for process in started]
        finally:
            processes.stop(started)

    def until(self, true: Callable[[], bool], started: list[subprocess.Popen[bytes]] | None = None) -> None:
        """Raises ``RuntimeError`` when it does not come true in 3 minutes, or a process ends before."""
        end = time.monotonic() + 180
        while not true():
            if time.monotonic() > end or any(process.poll() is not None for process in started or ()):
                raise RuntimeError(self.peer.words())
            time.sleep(0.02)

    def commands(self) -> dict[str, int]:
        """How often each command was run so far, those inside scripts included."""
        found: dict[str, Any] = self.place.redis.info("commandstats")
        return {name.removeprefix("cmdstat_"): int(values["calls"]) for name, values in found.items()}

    def backlog(self, waiting: int) -> dict[str, float]:
        """CPU and calls for each of 3,000 jobs while at least ``waiting`` others wait."""
        self.place.clean(0)
        empty, count = self.place.stored(), waiting + WINDOW
        self.peer.enqueue(count)
        held = self.place.stored() - empty
        with self.workers("bulk", 1) as pids:
            self.until(lambda: self.place.seen() >= EARLY)
            done, cpu, redis_cpu = self.place.seen(), processes.cpu_seconds(pids), self.place.redis_cpu()
            before = self.commands()
            self.until(lambda: self.place.seen() >= WINDOW)
            jobs = self.place.seen() - done
            cpu, redis_cpu = processes.cpu_seconds(pids) - cpu, self.place.redis_cpu() - redis_cpu
            after = self.commands()
            rss = processes.memory(pids).rss
        return {
            "waiting": waiting,
            "cpu_ms": 1000 * cpu / jobs,
            "redis_cpu_ms": 1000 * redis_cpu / jobs,
            "script_calls": (after["evalsha"] - before["evalsha"]) / jobs,
            "redis_commands": (sum(after.values()) - sum(before.values())) / jobs,
            "rss_mb": rss,
            "bytes_waiting": held / count,
        }

    def memory(self) -> dict[str, float]:
        """RSS of one worker when ready, after its first jobs, and after many; bytes of a finished job."""
        self.place.clean(0)
        empty = self.place.stored()
        with self.workers("bulk", 1) as pids:
            time.sleep(1.0)
            ready = processes.memory(pids).rss
            self.peer.enqueue(EARLY)
            self.until(lambda: self.place.seen() >= EARLY)
            warm = processes.memory(pids).rss
            self.peer.enqueue(self.jobs)
            self.until(lambda: self.place.seen() >= EARLY + self.jobs)
            time.sleep(1.0)
            worked = processes.memory(pids).rss
            descriptors = len(list(Path(f"/proc/{pids[0]}/fd").iterdir()))
        finished = (self.place.stored() - empty) / (EARLY + self.jobs)
        return {
            "jobs": self.jobs,
            "rss_ready_mb": ready,
            "rss_warm_mb": warm,
            "rss_after_mb": worked,
            "descriptors": descriptors,
            "bytes_finished": finished,
        }

    def idle(self, number: int) -> dict[str, float]:
        """Redis calls a second that so many idle processes make, those inside scripts left out, and their CPU."""
        self.place.clean(0)
        seconds = 3.0 if self.quick else 8.0
        with self.workers("worker", number, 32) as pids:
            time.sleep(2.0)
            cpu, began = processes.cpu_seconds(pids), time.monotonic()
            calls = self.asked(seconds)
            took = time.monotonic() - began
            cpu = processes.cpu_seconds(pids) - cpu
        return {
            "processes": number,
            "calls_per_second": calls / took,
            "calls_per_process": calls / took / number,
            "cpu_percent_per_process": 100 * cpu / took / number,
        }

    def asked(self, seconds: float) -> int:
        """How many commands clients send in so many seconds; those inside scripts are not counted."""
        count, end = 0, time.monotonic() + seconds
        with socket.create_connection(("127.0.0.1", self.place.valkey.port), 5) as monitor:
            monitor.sendall(b"MONITOR\r\n")
            monitor.settimeout(0.2)
            rest = b""
            while time.monotonic() < end:
                with contextlib.suppress(TimeoutError):
                    *lines, rest = (rest + monitor.recv(65536)).split(b"\n")
                    count += sum(line.startswith(b"+1") and b" lua] " not in line[:40] for line in lines)
        return count

    def ready(self) -> float:
        """Seconds from the start of one worker to its first request, a job waiting; the median of some starts."""
        times = []
        for _ in range(3 if self.quick else 5):
            self.place.clean(0)
            self.peer.enqueue(1)
            began = time.time()
            with self.workers("bulk", 1):
                self.until(lambda: self.place.seen() >= 1)
            times.append(self.place.api.arrivals()[0].arrived - began)
        return statistics.median(times)


def run(quick: bool = False) -> dict[str, Any]:
    """All of it, as ``growth.json`` holds it."""
    peer = next(one for one in PEERS if one.name == "ours-bulk")
    server = Valkey(latency_tracking="no")
    fake = Sandbox(calls_per_minute=0, relaxed=True, keep_bodies=0)
    began = time.monotonic()
    with server as valkey, fake as api, tempfile.TemporaryDirectory(prefix="bench-") as folder:
        peer.surroundings(valkey.url, api.base_url, api.key, Path(folder))
        growth = Growth(Place(valkey, api), peer, quick)
        found: dict[str, Any] = {"date": datetime.now(UTC).date().isoformat(), "machine": machine.describe()}
        found["ready_seconds"] = growth.ready()
        found["idle"] = [growth.idle(number) for number in growth.crowds]
        found["memory"] = growth.memory()
        found["backlog"] = [growth.backlog(waiting) for waiting in growth.backlogs]
    return found | {"seconds": round(time.monotonic() - began)}


def main(arguments: list[str] | None = None) -> int:
    made = argparse.ArgumentParser(
        prog="python -m bench.growth",
        description="What grows with the backlog, the work done and the number of processes.",
        epilog="example: python -m bench.growth --quick",
    )
    made.add_argument("--quick", action="store_true", help="small numbers, a minute; writes no file")
    made.add_argument("--json", type=Path, help="write the figures here (bench/growth.json unless --quick)")
    options = made.parse_args(arguments)
    found = run(options.quick)
    print(growth_page.markdown(found))
    path = options.json or (None if options.quick else PATH)
    if path:
        path.write_text(json.dumps(found, indent=1) + "\n")
    if not options.quick:
        growth_page.write(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
