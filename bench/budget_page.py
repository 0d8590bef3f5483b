"""The budget's part of ``docs/benchmarks.md`` and its charts."""

from __future__ import annotations

from typing import Any

from bench import budget_baselines, chart
from bench.report import CHARTS, PAGE

BEGIN, END = "<!-- budget: written by python -m bench.budget -->", "<!-- end of budget -->"
Row = dict[str, Any]


def shown(row: Row) -> str:
    """One line for a terminal."""
    if "limiter" in row:
        return budget_baselines.shown(row)
    text = (
        f"{row['plan']:8} {row['processes']:3} processes  used {100 * row['used']:5.1f} %  most {row['most']:4.0f}  "
        f"over {row['over']:.0f}  429 {row['refused']:.0f}  "
        f"spacing p50 {1000 * row['spacing_p50']:.1f} p99 {1000 * row['spacing_p99']:.1f} ms  bulk {row['bulk']:,}"
    )
    if row["urgent_share"]:
        text += (
            f"  urgent {100 * row['urgent_share']:.0f} %: p50 {row['urgent_p50_ms']:.1f} p99 {row['urgent_p99_ms']:.1f} "
            f"max {row['urgent_max_ms']:.1f} ms of {row['urgent']:.0f}"
        )
    return text + _also(row)


def _also(row: Row) -> str:
    text = f", each bulk call takes {row['hang']:.0f} s" if row["hang"] else ""
    return text + (f", stopped for {row['stall']:.0f} s" if row["stall"] else "")


def _table(head: list[str], body: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(line)} |" for line in [head, ["---"] * len(head), *body]] + [""]


def _use(row: Row) -> list[str]:
    return [
        f"{100 * row['used']:.1f} %",
        f"{row['most']:.0f} of {row['limit']}",
        f"{row['over']:.0f}",
        f"{row['refused']:.0f}",
        f"{1000 * row['spacing_p50']:.1f} / {1000 * row['spacing_p99']:.1f}",
    ]


def markdown(results: dict[str, Any]) -> str:
    """The tables, as far as they were measured."""

    def rows(*names: str) -> list[Row]:
        return [row for name in names for row in results.get(name, {}).get("rows", [])]

    on = next(iter(results.values()))["machine"]
    use = ["used", "most in a window", "over", "429", "spacing p50 / p99 ms"]
    lines = [f"Measured on {on['processor']}, {on['cores']} cores, Python {on['python']}.", ""]
    lines += _table(
        ["plan", "processes", "measured s", *use],
        [
            [row["plan"], str(row["processes"]), f"{row['seconds']:.0f}", *_use(row)]
            for row in rows("minute", "minute-64", "second")
        ],
    )
    lines += _table(
        ["plan", "urgent", "in bulk", "jobs", "p50 ms", "p99 ms", "max ms", "used", "over"],
        [
            [
                row["plan"],
                f"{100 * row['urgent_share']:.0f} %",
                f"{row['bulk']:,}{_also(row)}",
                f"{row['urgent']:.0f}",
                *(f"{row[f'urgent_{name}_ms']:.1f}" for name in ("p50", "p99", "max")),
                f"{100 * row['used']:.1f} %" if row["bulk"] and not row["hang"] else "-",
                f"{row['over']:.0f}",
            ]
            for row in rows("urgent", "urgent-alone")
        ],
    )
    lines += _table(
        ["plan", "processes", "case", *use[1:4]],
        [
            [row["plan"], str(row["processes"]), f"under backlog{_also(row)}", *_use(row)[1:4]]
            for row in rows("stall")
        ],
    )
    lines += _table(
        ["50 a second, others", "processes", *use],
        [[row["limiter"], str(row["processes"]), *_use({**row, "limit": 50})] for row in rows("baselines")],
    )
    return "\n".join([*lines, "![used](charts/budget-used.svg)\n", "![urgent](charts/budget-urgent.svg)\n"])


def write(results: dict[str, Any]) -> None:
    """Put the tables between the marks, and draw what is used and how long an urgent job waits."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n\n{markdown(results)}\n{END}{rest.partition(END)[2]}")
    used = [
        _bar(f"{row.get('limiter', 'this worker')}, {row['processes']}", 100 * row["used"], row)
        for name in ("second", "baselines")
        for row in results.get(name, {}).get("rows", [])
    ]
    waits = [
        _bar(f"{row['plan']}, urgent {100 * row['urgent_share']:.0f} %", row["urgent_p99_ms"], row)
        for row in results.get("urgent", {}).get("rows", [])
    ]
    title = "Allowance used at 50 calls a second, by processes (%; above 98 breaks the limit)"
    (CHARTS / "budget-used.svg").write_text(chart.bars(title, used, 1))
    title = "Urgent lane behind a million in bulk: delay to arrival, p99 (ms; shorter is better)"
    (CHARTS / "budget-urgent.svg").write_text(chart.bars(title, waits, 1))


def _bar(label: str, value: float, row: Row) -> chart.Bar:
    return chart.Bar(label, value, value, value, "limiter" not in row)
