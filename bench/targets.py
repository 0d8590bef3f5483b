"""What was promised of each measure, and whether a run held it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

Figures = Callable[[str, str], float]


class Target(NamedTuple):
    """One promise: what is measured, in words what is promised, the figure, and whether it holds."""

    what: str
    promised: str
    figure: str
    held: bool


def of_peers(results: dict[str, Any]) -> list[Target]:
    """Those that compare with others in one run; what a run did not measure is left out."""
    measured = {peer["name"]: peer["measures"] for peer in results["peers"]}

    def median(peer: str, name: str) -> float:
        return float(measured[peer][name]["median"])

    found = []
    for promise in (_single, _bulk, _bulk_taskiq, _sends, _sends_taskiq, _delay, _delay_many, _p50, _p99,
                    _waiting, _finished, _tree, _ready):  # fmt: skip
        try:
            found.append(promise(median))
        except KeyError:
            continue
    return found


def _at_most(what: str, promised: str, figure: float, limit: float, shape: str = ".2f") -> Target:
    return Target(what, promised, format(figure, shape), figure <= limit)


def _at_least(what: str, promised: str, figure: float, limit: float, shape: str = ".1f") -> Target:
    return Target(what, promised, format(figure, shape), figure >= limit)


def _single(of: Figures) -> Target:
    ratio = of("ours", "cpu_ms_0") / of("celery-naive", "cpu_ms_0")
    return _at_most("CPU of a single job, of plain Celery's", "at most 0.30", ratio, 0.3)


def _bulk(of: Figures) -> Target:
    ratio = of("ours-bulk", "cpu_ms_0") / of("celery-naive", "cpu_ms_0")
    return _at_most("CPU of a bulk send, of plain Celery's", "at most 0.20", ratio, 0.2)


def _bulk_taskiq(of: Figures) -> Target:
    ratio = of("ours-bulk", "cpu_ms_0") / of("taskiq", "cpu_ms_0")
    return _at_most("CPU of a bulk send, of taskiq's", "below 1", ratio, 1.0)


def _sends(of: Figures) -> Target:
    rate, plain = of("ours-bulk", "jobs_per_second_150"), of("celery-naive", "jobs_per_second_150")
    return Target(
        "sends a second at 150 ms",
        "at least 1,100, or 20 times plain Celery's",
        f"{rate:,.0f} ({rate / plain:.0f} times)",
        rate >= min(1100, 20 * plain),
    )


def _sends_taskiq(of: Figures) -> Target:
    ratio = of("ours-bulk", "jobs_per_second_150") / of("taskiq", "jobs_per_second_150")
    return _at_least("sends a second at 150 ms, of taskiq's", "above 1", ratio, 1.0, ".2f")


def _delay(of: Figures) -> Target:
    ratio = of("ours", "enqueue_per_second") / of("celery-naive", "enqueue_per_second")
    return _at_least("`.delay()` a second, of plain Celery's", "at least 2", ratio, 2.0)


def _delay_many(of: Figures) -> Target:
    ratio = of("ours-bulk", "enqueue_per_second") / of("celery-naive", "enqueue_per_second")
    return _at_least("`delay_many`, jobs a second, of plain Celery's `.delay()`", "at least 20", ratio, 20.0)


def _p50(of: Figures) -> Target:
    return _at_most("idle, call to arrival, p50 ms", "at most 4", of("ours", "latency_p50_ms"), 4.0, ".1f")


def _p99(of: Figures) -> Target:
    return _at_most("idle, call to arrival, p99 ms", "at most 7", of("ours", "latency_p99_ms"), 7.0, ".1f")


def _waiting(of: Figures) -> Target:
    return _at_most("bytes of a waiting job", "at most 750", of("ours", "bytes_waiting"), 750, ".0f")


def _finished(of: Figures) -> Target:
    return _at_most("bytes of a finished job", "at most 250", of("ours", "bytes_finished"), 250, ".0f")


def _tree(of: Figures) -> Target:
    ratio = of("ours", "idle_pss_mb") / of("celery-naive", "idle_pss_mb")
    return _at_most("memory of two idle processes, of plain Celery's tree with two", "below 1", ratio, 1.0)


def _ready(of: Figures) -> Target:
    return _at_most("seconds until the first request", "at most 0.9", of("ours", "ready_seconds"), 0.9)


def of_growth(found: dict[str, Any]) -> list[Target]:
    """Those of ``bench.growth``."""
    few, many = found["backlog"]
    memory, idle = found["memory"], found["idle"]
    grown = memory["rss_after_mb"] - memory["rss_ready_mb"]
    each = max(one["calls_per_process"] for one in idle)
    flat = [
        _at_most(
            f"{what}, {many['waiting']:,} waiting against {few['waiting']:,}",
            "within 10 %",
            many[name] / few[name],
            1.1,
        )
        for what, name in (("CPU", "cpu_ms"), ("Redis commands", "redis_commands"), ("RSS", "rss_mb"))
    ]
    return [
        _at_most("RSS of one idle worker, MB", "at most 85", memory["rss_ready_mb"], 85, ".0f"),
        _at_most(f"its growth after {memory['jobs']:,} jobs, MB", "below 5", grown, 5, ".1f"),
        *flat,
        _at_most("Redis calls a second of an idle process, at most", "below 10", each, 10, ".1f"),
    ]


def markdown(targets: list[Target]) -> list[str]:
    """A table's lines."""
    rows = [
        f"| {one.what} | {one.promised} | {one.figure} | {'yes' if one.held else '**no**'} |"
        for one in targets
    ]
    return ["| measure | promised | measured | held |", "| --- | --- | --- | --- |", *rows]
