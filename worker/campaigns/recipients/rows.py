"""What every source of recipients gives: rows with their line, streaming."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol


class Raw(NamedTuple):
    """One row as it came: the wanted values in the wanted order, or why there are none."""

    line: int
    values: tuple[str, ...]
    problem: str = ""


class Source(Protocol):
    """What a plan reads from."""

    def columns(self) -> list[str]:
        """The names of the columns; raises ``CampaignError`` when there are none to be read."""

    def rows(self, wanted: Sequence[str]) -> Iterator[Raw]:
        """The rows, with the values of the columns ``wanted``."""
