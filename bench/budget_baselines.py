"""How exactly others use a limit: Celery's ``rate_limit``, ``limits`` and ``pyrate-limiter``."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bench import environments, processes
from bench.arrivals import Verdict, judge
from bench.peer import Peer
from sandbox.control import Sandbox
from sandbox.valkey import Valkey

PATIENCE = 30.0


class Limit(NamedTuple):
    """``calls`` in any ``window`` seconds."""

    calls: int
    window: int


class Baseline(NamedTuple):
    """``rate`` is what ``rate_limit`` is set to for so many processes; None: the limiter shares its count."""

    title: str
    environment: str
    rate: Callable[[Limit, int], str] | None = None
    name: str = ""


BASELINES = [
    Baseline("Celery rate_limit", "celery", lambda limit, number: f"{limit.calls / limit.window}/s"),
    Baseline(
        "Celery rate_limit / processes",
        "celery",
        lambda limit, number: f"{limit.calls / limit.window / number}/s",
    ),
    Baseline("limits, moving window", "limits", name="limits"),
    Baseline("pyrate-limiter", "limits", name="pyrate"),
]


def run(baseline: Baseline, limit: Limit, number: int, seconds: float) -> Verdict:
    """Let ``number`` processes work without pause, and judge ``seconds`` of it, once all have called."""
    per_minute = limit.calls * 60 / limit.window
    fake = Sandbox(calls_per_minute=per_minute, window_seconds=limit.window, relaxed=True, keep_bodies=0)
    with Valkey() as valkey, fake as api, tempfile.TemporaryDirectory(prefix="bench-") as folder:
        peer = Peer("rate", "", "celery_rate", baseline.environment, "", lambda slots: [], {}, {})
        peer.surroundings(valkey.url, api.base_url, api.key, Path(folder))
        command = ["-m", "bench.limiters", baseline.name, str(limit.calls), str(limit.window)]
        if baseline.rate is not None:
            peer.environ["BENCH_RATE"] = baseline.rate(limit, number)
            sent = number if "processes" not in baseline.title else 1
            peer.enqueue(int(limit.calls * (seconds + PATIENCE) / limit.window) * sent + 20 * number)
            command = ["-m", "celery", "-A", "bench.peers.celery_rate", "worker"]
            command += ["--concurrency", "2", "--without-mingle", "--without-gossip", "--without-heartbeat"]
        started = []
        try:
            for index in range(number):
                own = ["--hostname", f"w{index}@bench"] if baseline.rate is not None else []
                line = [environments.python(baseline.environment), *command, *own]
                started.append(processes.start(line, peer.environ, peer.log))
            _all_called(api, number)
            begin = time.time()
            time.sleep(seconds)
            if any(process.poll() is not None for process in started):
                raise RuntimeError(f"{baseline.title}: {peer.words()}")
            end = time.time()
        finally:
            processes.stop(started, patience=3)
        calls = api.arrivals()
    accepted = [call.arrived for call in calls if call.accepted]
    refused = [call.arrived for call in calls if not call.accepted]
    return judge(accepted, refused, limit.calls, limit.window, begin, end)


def _all_called(api: Sandbox, number: int) -> None:
    """Until every process has made a call and the first burst is past, but not longer than ``PATIENCE``."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and len({call.job for call in api.arrivals()}) < number:
        time.sleep(0.2)


def table(limit: Limit, numbers: list[int], seconds: float) -> Iterator[dict[str, Any]]:
    """A row for each baseline and number of processes, as it is measured."""
    for baseline in BASELINES:
        environments.prepare(baseline.environment)
        for number in numbers:
            verdict = run(baseline, limit, number, seconds)
            yield {"limiter": baseline.title, "processes": number, **verdict._asdict()}


def shown(row: dict[str, Any]) -> str:
    return (
        f"{row['limiter']:30} {row['processes']:3}  used {100 * row['used']:5.1f} %  most {row['most']:4}  "
        f"over {row['over']:5}  refused {row['refused']:5}  "
        f"spacing p50 {1000 * row['spacing_p50']:.1f} p99 {1000 * row['spacing_p99']:.1f} ms"
    )


def main(arguments: list[str] | None = None) -> int:
    made = argparse.ArgumentParser(prog="python -m bench.budget_baselines", description=__doc__)
    made.add_argument("--calls", type=int, default=50, help="calls in a window (50)")
    made.add_argument("--window", type=int, default=1, help="seconds (1)")
    made.add_argument("--seconds", type=float, default=15, help="measured for each row (15)")
    made.add_argument("--processes", default="1,2,8,16", help="comma separated (1,2,8,16)")
    made.add_argument("--json", type=Path, help="write the rows here")
    options = made.parse_args(arguments)
    rows = []
    numbers = [int(number) for number in options.processes.split(",")]
    for row in table(Limit(options.calls, options.window), numbers, options.seconds):
        print(shown(row), flush=True)
        rows.append(row)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
