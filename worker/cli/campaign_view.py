"""How a campaign looks in a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from worker.campaigns.recipients.rows import Raw, Source
from worker.campaigns.running.control import Progress as Now
from worker.telemetry.shown import shown

STATES = (
    ("planned", "waiting for their turn"),
    ("enqueued", "in the bulk lane or under way"),
    ("held", "may have been sent; a receipt is awaited"),
    ("accepted", "accepted by Interakt"),
    ("sent", "sent"),
    ("delivered", "delivered"),
    ("read", "read"),
    ("failed", "accepted, then failed"),
    ("dead", "not accepted"),
    ("unknown", "may have been sent"),
    ("skipped", "left out by a rule"),
    ("cancelled", "cancelled"),
)


class Counted:
    """A source that tells a progress bar how many rows it has given; ``total`` is about how many there are."""

    def __init__(self, source: Source, bar: Progress, total: int | None) -> None:
        self.source, self.bar = source, bar
        self.task = bar.add_task("reading recipients", total=total)

    @property
    def keeps(self) -> bool:
        return self.source.keeps

    def columns(self) -> list[str]:
        return self.source.columns()

    def rows(self, wanted: Sequence[str], own: Sequence[str] = ()) -> Iterator[Raw]:
        number = 0
        for number, row in enumerate(self.source.rows(wanted, own), 1):
            if number % 1000 == 0:
                self.bar.update(self.task, completed=number, description=f"{number:,} rows read")
            yield row
        self.bar.update(self.task, completed=number, total=number, description=f"{number:,} rows read")


def lines_in(path: Path) -> int:
    """About how many rows a file has: its line ends, counted at a gigabyte a second."""
    with path.open("rb") as file:
        return sum(part.count(b"\n") for part in iter(lambda: file.read(1 << 20), b""))


def reading_bar(console: Console) -> Progress:
    """Shown while recipients are read; it leaves nothing behind."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )


def page(now: Now) -> Any:
    """One campaign: a bar, a table of states with their reasons, pace and end."""
    ended = now.recipients - now.left
    bar = Progress(TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn())
    bar.add_task(f"{now.id} {shown(now.name, 60)}: {now.status}", total=now.recipients or 1, completed=ended)
    table = Table(box=None, pad_edge=False, show_header=False)
    for state, meaning in STATES:
        if number := now.counts.get(state, 0):
            table.add_row(state, f"{number:,}", Text(shown(_reasons(now, state) or meaning), style="dim"))
    lines: list[Any] = [bar.get_renderable(), table]
    if now.why:
        lines.append(Text(f"{'paused' if now.status == 'paused' else 'waits'}: {shown(now.why)}"))
    if now.rejected:
        left_out = ", ".join(f"{count:,} {kind}" for kind, count in sorted(now.rejected.items()))
        lines.append(Text(shown(f"rows left out when it was planned: {left_out}")))
    if now.status in ("running", "planned"):
        until = f"{now.finish:%Y-%m-%d %H:%M} UTC" if now.finish else "not to be said yet"
        lines.append(Text(f"{now.per_minute:g} a minute; last message goes out: {until}"))
    return Group(*lines)


def _reasons(now: Now, state: str) -> str:
    found = [
        (name.partition("|")[2], number)
        for name, number in now.counts.items()
        if name.startswith(f"{state}|")
    ]
    return ", ".join(f"{number:,} {name}" for name, number in sorted(found, key=lambda item: -item[1]))
