"""The live table: each job until it ends, and its receipts as they arrive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich.table import Table

from interakt_jobs import Job
from interakt_jobs.record import ENDED, Reading

from .plan import Item

COLOURS = {"done": "green", "dead": "red", "cancelled": "yellow", "running": "cyan", "unknown": "magenta"}


@dataclass(slots=True)
class Row:
    """A job of the demo, where it is and whether it came to the end it must come to."""

    item: Item
    job: Job
    reading: Reading | None = None

    def look(self) -> None:
        if self.reading is None or self.reading.state not in ENDED or not self.reading.delivery:
            self.reading = self.job.read()

    @property
    def ended(self) -> bool:
        return self.reading is not None and self.reading.state in ENDED

    @property
    def right(self) -> bool:
        if self.reading is None:
            return False
        end = self.reading.reason if self.reading.state == "dead" else self.reading.state
        return end == self.item.ends


def draw(rows: list[Row], title: str) -> Any:
    """The table as it is now."""
    table = Table(title=title, title_justify="left")
    for heading, width in (("", 2), ("what", 24), ("task", 21), ("lane", 6), ("state", 15), ("delivery", 9)):
        table.add_column(heading, width=width, no_wrap=True, overflow="ellipsis")
    table.add_column("Interakt says", no_wrap=True, overflow="ellipsis")
    for row in rows:
        found = row.reading
        if found is None:
            table.add_row("", row.item.label, row.item.operation)
            continue
        mark = ("[green]ok[/]" if row.right else "[red]!![/]") if row.ended else ""
        state = found.reason or found.state
        words = (found.error or found.message or "").split("\n")[0]
        delivery = found.delivery.split(".")[1] if found.delivery else ""
        colour = COLOURS.get(found.state, "white")
        table.add_row(
            mark,
            row.item.label,
            row.item.operation,
            found.lane,
            f"[{colour}]{state}[/]",
            delivery,
            words[:60],
        )
    return table
