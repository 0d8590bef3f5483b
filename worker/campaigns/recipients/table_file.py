"""A file with a heading and rows of cells: what CSV files and workbooks have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import chain
from operator import itemgetter
from pathlib import Path

from worker.campaigns.definition.errors import CampaignError

from .columns import is_phone
from .rows import Raw

MOST_COLUMNS = 1000
OPEN_QUOTE = "a quotation mark is opened and not closed, or a cell is too long"
Cells = Iterator[tuple[int, list[str] | str]]


class TableFile(ABC):
    """A file of rows. The heading is the first line with anything in it.

    ``lone`` names the only column of a file that may have no heading: then its first line counts as a row, unless it has
    no digits.
    """

    keeps = True

    def __init__(self, path: Path | str, lone: str = "") -> None:
        self.path, self.lone = Path(path), lone

    @abstractmethod
    def cells(self) -> AbstractContextManager[Cells]:
        """Each line's number with its cells, or with the reason why there are none."""

    def columns(self) -> list[str]:
        with self.cells() as lines:
            return self._header(lines)[0]

    def rows(self, wanted: Sequence[str], own: Sequence[str] = ()) -> Iterator[Raw]:
        with self.cells() as lines:
            header, lines = self._header(lines)
            width, pick, pick_own = len(header), _picker(header, wanted), _picker(header, own)
            for line, row in lines:
                if isinstance(row, str):
                    yield Raw(line, (), row)
                    continue
                if len(row) != width:
                    if any(cell.strip() for cell in row[width:]):
                        yield Raw(line, (), f"{len(row)} cells where the heading has {width}")
                        continue
                    row += [""] * (width - len(row))
                values = pick(row)
                if any(values) or any(cell.strip() for cell in row):
                    yield Raw(line, values, "", pick_own(row))

    def _header(self, lines: Cells) -> tuple[list[str], Cells]:
        first = next(
            ((line, row) for line, row in lines if isinstance(row, str) or any(map(str.strip, row))), None
        )
        header = (
            [name.replace("\u00a0", " ").strip() for name in first[1]]
            if first and isinstance(first[1], list)
            else []
        )
        while header and not header[-1]:
            header.pop()
        if first and self.lone and len(header) == 1 and not is_phone(header[0]):
            has_digits = any(character.isdigit() for character in header[0])
            return [self.lone], chain([first], lines) if has_digits else lines
        if not header:
            raise CampaignError({"recipients": "the first line must name the columns"})
        if "\x00" in "".join(header):
            raise CampaignError({"recipients": "it is not text: save it as CSV UTF-8"})
        if len(header) > MOST_COLUMNS:
            raise CampaignError({"recipients": f"{len(header)} columns: at most {MOST_COLUMNS} are read"})
        if sum(character.isdigit() for character in "".join(header)) >= 8:
            raise CampaignError({"recipients": "the first line must name the columns; it is a recipient"})
        return header, lines


def _picker(header: list[str], names: Sequence[str]) -> Callable[[list[str]], tuple[str, ...]]:
    places = [header.index(name) for name in names]
    if not places:
        return lambda row: ()
    return itemgetter(*places) if len(places) > 1 else lambda row: tuple(row[place] for place in places)
