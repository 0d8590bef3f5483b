"""``python -m bench.enqueue``: what a caller pays to enqueue, beside plain Celery in the same process on the same Valkey.

Every round does each way once, in turn, and a ratio is that of one round, so that a machine that slows down slows all alike.
Import time is that of fresh interpreters, also in turn. Nobody takes the jobs. Takes 20 seconds; exits with 1 when a promise
is not held.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from celery import Celery
from redis import Redis

from bench import call, machine
from interakt_jobs import configure, send_list
from sandbox.valkey import Valkey

BEFORE = "from celery import Celery; import redis"
AFTER = BEFORE + "; import interakt_jobs"
TIMED = "import time; began = time.perf_counter(); {}; print(time.perf_counter() - began)"
WARM = 50


class Way(NamedTuple):
    """One way to enqueue: its title, how it takes so many jobs, and how many a round."""

    title: str
    enqueue: Callable[[int], None]
    jobs: int


class Measured(NamedTuple):
    """Jobs a second of each round, CPU microseconds and bytes in Redis of a job."""

    rates: list[float]
    cpu_us: list[float]
    bytes_waiting: list[float]


class Promise(NamedTuple):
    """What was measured against what is promised, and whether it holds."""

    what: str
    found: float
    limit: float
    least: bool

    @property
    def held(self) -> bool:
        return self.found >= self.limit if self.least else self.found <= self.limit


@contextmanager
def _plain(url: str) -> Iterator[Callable[[int], None]]:
    app = Celery("plain", broker=url, set_as_current=False)
    app.conf.task_ignore_result = True

    @app.task
    def send(payload: dict[str, Any]) -> None:
        """Never run."""

    def enqueue(count: int) -> None:
        for _ in range(count):
            send.delay(call.payload())

    yield enqueue
    app.close()


def _one(count: int) -> None:
    for _ in range(count):
        send_list.delay(call.payload())


def _many(count: int) -> None:
    deque(send_list.delay_many(call.payload() for _ in range(count)), maxlen=0)


def _round(way: Way, redis: Redis, into: Measured) -> None:
    redis.flushall()
    way.enqueue(WARM)
    gc.collect()
    empty = redis.info("memory")["used_memory"]
    began, cpu = time.perf_counter(), time.process_time()
    way.enqueue(way.jobs)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    into.rates.append(way.jobs / seconds)
    into.cpu_us.append(1e6 * cpu / way.jobs)
    into.bytes_waiting.append((redis.info("memory")["used_memory"] - empty) / way.jobs)


def rates(rounds: int, scale: float) -> dict[str, Measured]:
    """Each way's figures by round, on a Valkey of their own; ``scale`` multiplies the jobs of a round."""
    with Valkey() as server, Redis.from_url(server.url) as redis, _plain(server.url) as plain:
        configure(server.url, allow_unregistered=True)
        ways = [
            Way("plain Celery, .delay()", plain, int(500 * scale)),
            Way(".delay()", _one, int(1500 * scale)),
            Way("delay_many", _many, int(10000 * scale)),
        ]
        found = {way.title: Measured([], [], []) for way in ways}
        for _ in range(rounds):
            for way in ways:
                _round(way, redis, found[way.title])
        configure(None)
        return found


def imports(rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each import in a fresh interpreter, by round; the first round writes bytecode and is left out."""
    found: dict[str, list[float]] = {BEFORE: [], AFTER: []}
    for number in range(rounds + 1):
        for code, times in found.items():
            run = subprocess.run(
                [sys.executable, "-c", TIMED.format(code)], capture_output=True, text=True, check=True
            )
            if number:
                times.append(1000 * float(run.stdout))
    return found


def promises(found: dict[str, Measured], imported: dict[str, list[float]]) -> list[Promise]:
    """The ratios of rounds and the difference of imports, as medians, against the promises."""
    plain, one, many = found.values()
    pairs = zip(imported[BEFORE], imported[AFTER], strict=True)
    return [
        Promise(".delay(), times plain Celery's rate", _ratio(one, plain), 2, True),
        Promise("delay_many, times plain Celery's rate", _ratio(many, plain), 20, True),
        Promise(
            "import time added (ms)", statistics.median(after - before for before, after in pairs), 50, False
        ),
    ]


def _ratio(ours: Measured, plain: Measured) -> float:
    return statistics.median(a / b for a, b in zip(ours.rates, plain.rates, strict=True))


def table(found: dict[str, Measured], kept: list[Promise]) -> str:
    """Two Markdown tables: the ways, and the promises."""
    lines = ["| | jobs/s | least to most | CPU us/job | bytes waiting |", "|---|---|---|---|---|"]
    for title, way in found.items():
        middle = statistics.median(way.rates)
        spread = f"{min(way.rates):,.0f} to {max(way.rates):,.0f}"
        cpu, size = statistics.median(way.cpu_us), statistics.median(way.bytes_waiting)
        lines.append(f"| {title} | {middle:,.0f} | {spread} | {cpu:,.0f} | {size:,.0f} |")
    lines += ["", "| | measured | promised | |", "|---|---|---|---|"]
    for promise in kept:
        word = "at least" if promise.least else "at most"
        held = "held" if promise.held else "**not held**"
        lines.append(f"| {promise.what} | {promise.found:.1f} | {word} {promise.limit} | {held} |")
    return "\n".join(lines)


def main() -> int:
    """Measure and print; 1 when a promise is not held."""
    parser = argparse.ArgumentParser(prog="python -m bench.enqueue", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the jobs of a round")
    parser.add_argument("--json", action="store_true", help="raw figures of each round as JSON")
    arguments = parser.parse_args()
    found, imported = rates(arguments.rounds, arguments.scale), imports(arguments.rounds)
    kept = promises(found, imported)
    if arguments.json:
        raw = {title: way._asdict() for title, way in found.items()}
        held = [{**promise._asdict(), "held": promise.held} for promise in kept]
        print(
            json.dumps({"machine": machine.describe(), "ways": raw, "imports_ms": imported, "promises": held})
        )
    else:
        print(table(found, kept))
    return 0 if all(promise.held for promise in kept) else 1


if __name__ == "__main__":
    sys.exit(main())
