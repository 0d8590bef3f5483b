"""From raw figures to medians with their spread, a table, and what goes into the documents."""

from __future__ import annotations

import statistics
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bench import chart, machine, targets
from bench.peer import Peer
from bench.processes import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
CHARTS = ROOT / "docs" / "charts"
BEGIN, END = "<!-- results: written by python -m bench -->", "<!-- end of results -->"
README, SHORT_BEGIN, SHORT_END = ROOT / "README.md", "<!-- bench -->", "<!-- end of bench -->"

# measure, heading, decimals
COLUMNS = (
    ("jobs_per_second_0", "jobs/s, 0 ms", 0),
    ("cpu_ms_0", "CPU ms/job, 0 ms", 2),
    ("redis_cpu_ms_0", "Redis CPU ms/job", 2),
    ("jobs_per_second_150", "jobs/s, 150 ms", 0),
    ("cpu_ms_150", "CPU ms/job, 150 ms", 2),
    ("enqueue_per_second", "enqueue/s", 0),
    ("latency_p50_ms", "idle latency p50 ms", 1),
    ("latency_p99_ms", "p99 ms", 1),
    ("bytes_waiting", "bytes waiting", 0),
    ("bytes_finished", "bytes finished", 0),
    ("idle_pss_mb", "PSS idle MB", 0),
    ("memory_pss_mb_0", "PSS after MB", 0),
    ("ready_seconds", "ready s", 2),
)
# the README's: measure, heading, decimals
SHORT = (
    ("cpu_ms_0", "CPU ms a job", 2),
    ("jobs_per_second_150", "sends/s, API at 150 ms", 0),
    ("enqueue_per_second", "queued/s", 0),
    ("latency_p50_ms", "idle latency ms", 1),
    ("idle_pss_mb", "MB, idle", 0),
)
KILLED = "a worker is killed (-9)"
# file, title, measure, decimals
CHARTED = (
    ("cpu", "CPU per job, whole worker (ms, API at 0 ms; shorter is better)", "cpu_ms_0", 2),
    (
        "sends-150",
        "Sends per second, API at 150 ms (longer is better)",
        "jobs_per_second_150",
        0,
    ),
    ("enqueue", "Jobs queued per second by one process (longer is better)", "enqueue_per_second", 0),
    ("latency", "Idle worker: call to arrival, p50 (ms; shorter is better)", "latency_p50_ms", 1),
    ("bytes", "Bytes in Redis per waiting job (shorter is better)", "bytes_waiting", 0),
)


@dataclass
class Run:
    """The figures of a run by peer and measure, one for each round, and what went wrong."""

    values: dict[str, dict[str, list[float]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    failures: dict[str, str] = field(default_factory=dict)

    def add(self, peer: str, latency: int | None, figures: dict[str, float]) -> None:
        """Take in one measurement; those of a backlog get the latency as the end of their names."""
        for name, value in figures.items():
            by_latency = latency is not None and not name.startswith(("enqueue_", "bytes_"))
            self.values[peer][f"{name}_{latency}" if by_latency else name].append(value)


def what(latency: int | None) -> str:
    return "idle" if latency is None else f"backlog at {latency} ms"


def spread(values: list[float]) -> dict[str, Any]:
    """Median, lowest and highest, and all of them in order of the rounds."""
    shown = [float(f"{value:.5g}") for value in values]
    return {
        "median": float(f"{statistics.median(values):.5g}"),
        "low": min(shown),
        "high": max(shown),
        "rounds": shown,
    }


def summary(run: Run, peers: list[Peer], seconds: float) -> dict[str, Any]:
    """Everything that ``results.json`` holds."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "seconds": round(seconds),
        "machine": machine.describe(),
        "peers": [
            {
                "name": peer.name,
                "title": peer.title,
                "killed_worker": peer.guarantee,
                "slots": {str(latency): slots for latency, slots in peer.slots.items()},
                "command": [" ".join(["python", *line]) for line in peer.workers(peer.slots[0])],
                "versions": peer.versions(),
                "failure": run.failures.get(peer.name, "").partition("\n")[0] or None,
                "measures": {name: spread(values) for name, values in run.values[peer.name].items()},
            }
            for peer in peers
        ],
    }


def shown(measure: dict[str, Any] | None, decimals: int) -> str:
    """``median (low-high)``, or a dash."""
    if measure is None:
        return "-"
    median, low, high = (f"{measure[name]:,.{decimals}f}" for name in ("median", "low", "high"))
    return median if len(measure["rounds"]) == 1 else f"{median} ({low}-{high})"


def rows(results: dict[str, Any]) -> list[list[str]]:
    """One row for each measure, one column for each peer: medians with their spread."""
    head = ["", *(peer["title"] for peer in results["peers"])]
    body = [
        [heading, *(shown(peer["measures"].get(name), decimals) for peer in results["peers"])]
        for name, heading, decimals in COLUMNS
    ]
    return [head, *body]


def table(results: dict[str, Any]) -> str:
    """Plain text for a terminal, peers downwards, then who failed."""
    turned = [list(column) for column in zip(*rows(results), strict=True)]
    widths = [max(len(row[index]) for row in turned) for index in range(len(turned[0]))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in turned]
    failed = [f"{peer['name']} failed: {peer['failure']}" for peer in results["peers"] if peer["failure"]]
    return "\n".join(lines + failed)


def markdown(results: dict[str, Any]) -> str:
    """The results section of the page."""
    on = results["machine"]
    turned = [list(column) for column in zip(*rows(results), strict=True)]
    lines = [
        f"Measured {results['date']} on {on['processor']}, {on['cores']} cores, {on['memory_gb']} GB, "
        f"{on['system']}, Python {on['python']}; medians, lowest and highest of all rounds in brackets.",
        "",
    ]
    killed = [KILLED, *(peer["killed_worker"] for peer in results["peers"])]
    for first in range(1, len(turned[0]), 5):
        part = [[row[0], *row[first : first + 5], end] for row, end in zip(turned, killed, strict=True)]
        lines += [_line(part[0]), _line(["---"] * len(part[0])), *map(_line, part[1:]), ""]
    lines += [_line(["", "versions", "slots at 0 / 150 ms"]), _line(["---"] * 3)]
    for peer in results["peers"]:
        versions = ", ".join(f"{name} {version}" for name, version in peer["versions"].items())
        slots = " / ".join(str(number) for number in peer["slots"].values())
        lines.append(_line([peer["title"], versions, slots]))
    lines += ["", *targets.markdown(targets.of_peers(results))]
    lines += ["", *(f"![{title}](charts/{name}.svg)\n" for name, title, _, _ in CHARTED)]
    return "\n".join(lines)


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _is_ours(peer: dict[str, Any]) -> bool:
    return str(peer["name"]).startswith("ours")


def write_docs(results: dict[str, Any]) -> None:
    """Put the results between the marks of ``docs/benchmarks.md`` and draw the charts beside it."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{markdown(results)}\n{END}{after}")
    write_readme(results)
    CHARTS.mkdir(exist_ok=True)
    for name, title, measure, decimals in CHARTED:
        bars = [
            chart.Bar(peer["title"], found["median"], found["low"], found["high"], _is_ours(peer))
            for peer in results["peers"]
            if (found := peer["measures"].get(measure)) is not None
        ]
        (CHARTS / f"{name}.svg").write_text(chart.bars(title, bars, decimals))


def short(results: dict[str, Any]) -> str:
    """The README's table: a line for each peer, the figures that matter most, and what a kill costs."""
    on = results["machine"]
    lines = [
        f"Measured {results['date']} on {on['cores']} cores ({on['processor']}), each doing the same: check, send, keep the "
        "answer. This worker has ledger, budget and guard on.",
        "",
        _line(["", *(heading for _, heading, _ in SHORT), KILLED]),
        _line(["---"] * (len(SHORT) + 2)),
    ]
    for peer in results["peers"]:
        figures = [
            f"{found['median']:,.{decimals}f}" if (found := peer["measures"].get(name)) else "-"
            for name, _, decimals in SHORT
        ]
        lines.append(_line([peer["title"], *figures, peer["killed_worker"]]))
    missed = [
        f"{one.what}: {one.figure} ({one.promised})" for one in targets.of_peers(results) if not one.held
    ]
    if missed:
        lines += ["", f"Where it does not reach what it set out to: {'; '.join(missed)}."]
    return "\n".join(lines)


def write_readme(results: dict[str, Any]) -> None:
    """Put the short table between the marks of the README, if it has them."""
    text = README.read_text()
    if SHORT_BEGIN not in text or SHORT_END not in text:
        return
    before, _, rest = text.partition(SHORT_BEGIN)
    README.write_text(f"{before}{SHORT_BEGIN}\n{short(results)}\n{SHORT_END}{rest.partition(SHORT_END)[2]}")
