"""A row of a source: as it came, as a recipient, or rejected."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol, TextIO


class Raw(NamedTuple):
    """One row as it came: the wanted values in the wanted order, or why there are none; and the row's own further ones."""

    line: int
    values: tuple[str, ...]
    problem: str = ""
    own: tuple[str, ...] = ()


class Source(Protocol):
    """What a plan reads from. ``keeps`` says whether its other columns are kept for the export."""

    @property
    def keeps(self) -> bool: ...

    def columns(self) -> list[str]:
        """The names of the columns; raises ``CampaignError`` when there are none to be read."""

    def rows(self, wanted: Sequence[str], own: Sequence[str] = ()) -> Iterator[Raw]:
        """The rows, with the values of the columns ``wanted``, and of those that are only kept."""


class Recipient(NamedTuple):
    """One person: ``values`` in the order of ``Definition.value_columns``; ``zone`` as zones.py names it.

    ``own`` are the row's further columns, which the export gives back.
    """

    line: int
    digits: str
    values: tuple[str, ...]
    zone: str
    own: tuple[str, ...] = ()


class Rejected(NamedTuple):
    """A row that is left out. ``kind`` is of the list in docs/campaigns.md; ``reason`` is for people."""

    line: int
    kind: str
    reason: str
    phone: str = ""


class RejectsFile:
    """The CSV of rejected rows: line, kind, reason and the phone cell as it came (it is the user's file)."""

    def __init__(self, file: TextIO) -> None:
        self._writer = csv.writer(file)
        self._writer.writerow(("line", "kind", "reason", "phone"))

    def add(self, row: Rejected) -> None:
        self._writer.writerow((row.line, row.kind, safe_cell(row.reason), safe_cell(row.phone[:64])))


def safe_cell(cell: str) -> str:
    """A cell that a spreadsheet will not run as a formula, without what a file cannot hold."""
    cell = cell.encode("utf-8", "replace").decode().replace("\x00", "")
    signed = cell[:1] in ("+", "-") and not cell[1:].replace(" ", "").isdigit()
    return "'" + cell if signed or cell[:1] in ("=", "@", "\t", "\r") else cell
