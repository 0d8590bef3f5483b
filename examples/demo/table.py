"""The live table: each job until it ends, and its receipts as they arrive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich.table import Table

from interakt_jobs import Job
from interakt_jobs.ledger.record import ENDED, Reading

from .plan import Item

COLOURS = {"done": "green", "dead": "red", "cancelled": "yellow", "running": "cyan", "unknown": "magenta"}


@dataclass(slots=True)
class Row:
    """A job of the demo, where it is and whether it came to the end it must come to."""

    item: Item
    job: Job
    reading: Reading | None = None

    def look(self) -> None:
        if not self.ended or self.delivery != "read":
            self.reading = self.job.read()

    @property
    def ended(self) -> bool:
        return self.reading is not None and self.reading.state in ENDED

    @property
    def delivery(self) -> str:
        """How far the message came, by its receipts."""
        return self.reading.delivery.split(".")[1] if self.reading and self.reading.delivery else ""

    @property
    def right(self) -> bool:
        if self.reading is None:
            return False
        end = self.reading.reason if self.reading.state == "dead" else self.reading.state
        return end == self.item.ends


def draw(rows: list[Row], width: int = 120) -> Any:
    """The table as it is now; a narrow terminal is spared the lane and Interakt's words."""
    wide = width >= 110
    table = Table(box=None, pad_edge=False)
    headings = [
        ("", 2),
        ("what", 24 if wide else 21),
        ("task", 21),
        ("lane", 6),
        ("state", 15),
        ("delivery", 9),
    ]
    left = width
    for heading, size in headings:
        if wide or heading != "lane":
            table.add_column(heading, width=size, no_wrap=True, overflow="ellipsis")
            left -= size + 2
    if wide:
        table.add_column("Interakt says", width=max(10, left - 1), no_wrap=True, overflow="ellipsis")
    for row in rows:
        cells = _cells(row)
        table.add_row(*(cells if wide else [*cells[:3], *cells[4:6]]))
    return table


def _cells(row: Row) -> list[str]:
    """Mark, label, task, lane, state, delivery, words."""
    found = row.reading
    if found is None:
        return ["", row.item.label, row.item.operation, "", "", "", ""]
    mark = ("[green]ok[/]" if row.right else "[red]!![/]") if row.ended else ""
    state = f"[{COLOURS.get(found.state, 'white')}]{found.reason or found.state}[/]"
    words = (found.error or found.message or "").split("\n")[0]
    return [mark, row.item.label, row.item.operation, found.lane, state, row.delivery, words]
