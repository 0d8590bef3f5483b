"""What every source of recipients gives: rows with their line, streaming."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol


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
