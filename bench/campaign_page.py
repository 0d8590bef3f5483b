"""The campaign's part of ``docs/benchmarks.md``."""

from __future__ import annotations

from typing import Any

from bench.report import PAGE

BEGIN, END = "<!-- campaign: written by python -m bench.campaign -->", "<!-- end of campaign -->"
TITLE = "## A campaign"
INTRO = (
    "`make bench-campaign`: a CSV with phone, name and a 6-digit code is planned, sent to the sandbox by a worker and a\n"
    "bulk worker at a limit that is never reached, and exported. Everything runs on one machine, the sandbox included.\n"
    "Bytes are those of all the campaign's keys in Redis; peaks are the most memory that each process ever had."
)


def markdown(results: dict[str, Any]) -> str:
    """The tables of the sizes that were run."""
    rows, on = results["rows"], results["machine"]
    facts = [
        ("sent", lambda row: f"{row['sent']:,}"),
        ("accepted more than once", lambda row: str(row["accepted_more_than_once"])),
        ("the export adds up", lambda row: "yes" if row["adds_up"] else "NO"),
        ("seconds to plan", lambda row: f"{row['plan_seconds']:.1f}"),
        ("sent a second", lambda row: f"{row['sent_per_second']:,.0f}"),
        ("seconds to export", lambda row: f"{row['export_seconds']:.1f}"),
        ("bytes a recipient, planned", lambda row: f"{row['bytes_planned']:.1f}"),
        ("bytes a recipient, at rest after sending", lambda row: f"{row['bytes_sent']:.1f}"),
        ("most in flight", lambda row: f"{row['most_in_flight']:,}"),
        *(
            (f"peak of {name}, MB", lambda row, name=name: f"{row['peak_mb'][name]:.0f}")
            for name in rows[0]["peak_mb"]
        ),
    ]
    head = ["", *(f"{row['recipients']:,} recipients" for row in rows)]
    body = [[name, *(fact(row) for row in rows)] for name, fact in facts]
    table = [f"| {' | '.join(line)} |" for line in [head, ["---"] * len(head), *body]]
    where = f"Measured on {on['processor']}, {on['cores']} cores, Python {on['python']}, {results['date']}."
    return "\n".join([TITLE, "", INTRO, "", where, "", *table, ""])


def write(results: dict[str, Any]) -> None:
    """Put the section between its marks, or at the end of the page."""
    text = PAGE.read_text()
    if BEGIN not in text:
        text = f"{text.rstrip()}\n\n{BEGIN}\n{END}\n"
    before, _, rest = text.partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{markdown(results)}\n{END}{rest.partition(END)[2]}")
