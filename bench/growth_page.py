"""The tables of ``bench.growth`` in ``docs/benchmarks.md``."""

from __future__ import annotations

from typing import Any

from bench import targets
from bench.processes import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- growth: written by python -m bench.growth -->", "<!-- end of growth -->"


# heading, measure, format
Columns = tuple[tuple[str, str, str], ...]
BACKLOG: Columns = (
    ("jobs waiting", "waiting", ",.0f"),
    ("CPU ms/job", "cpu_ms", ".2f"),
    ("Redis CPU ms/job", "redis_cpu_ms", ".2f"),
    ("script calls/job", "script_calls", ".2f"),
    ("Redis commands/job, those in scripts counted", "redis_commands", ".1f"),
    ("RSS MB", "rss_mb", ".1f"),
    ("bytes a waiting job", "bytes_waiting", ".0f"),
)
IDLE: Columns = (
    ("idle processes", "processes", ".0f"),
    ("Redis calls/s", "calls_per_second", ".1f"),
    ("for each process", "calls_per_process", ".1f"),
    ("CPU of each, % of a core", "cpu_percent_per_process", ".2f"),
)
MEMORY: Columns = (
    ("jobs done", "jobs", ",.0f"),
    ("RSS MB when ready", "rss_ready_mb", ".1f"),
    ("after 1,000 jobs", "rss_warm_mb", ".1f"),
    ("after all", "rss_after_mb", ".1f"),
    ("descriptors", "descriptors", ".0f"),
    ("bytes a finished job", "bytes_finished", ".0f"),
)


def _table(columns: Columns, rows: list[dict[str, float]]) -> list[str]:
    cells = [[format(row[name], shape) for _, name, shape in columns] for row in rows]
    head = [heading for heading, _, _ in columns]
    return [f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *cells)] + [""]


def markdown(found: dict[str, Any]) -> str:
    """The time to be ready and three tables."""
    on = found["machine"]
    return "\n".join(
        [
            f"Measured {found['date']} on {on['processor']}, {on['cores']} cores, Python {on['python']}; "
            f"one worker makes its first request {found['ready_seconds']:.2f} s after its start.",
            "",
            *_table(BACKLOG, found["backlog"]),
            *_table(IDLE, found["idle"]),
            *_table(MEMORY, [found["memory"]]),
            *targets.markdown(targets.of_growth(found)),
            "",
        ]
    )


def write(found: dict[str, Any]) -> None:
    """Put them between the marks of the page."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{markdown(found)}\n{END}{after}")
