"""Recipients from a spreadsheet's CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import TextIO

from worker.campaigns.errors import CampaignError

from .csv_records import records
from .rows import Raw
from .text_files import TOO_LONG, lines, open_text

DELIMITERS = ",;\t|"


class CsvFile:
    """A spreadsheet's CSV; encoding and delimiter are found unless given."""

    def __init__(self, path: Path | str, encoding: str = "", delimiter: str = "") -> None:
        self.path, self.encoding, self._delimiter = Path(path), encoding, delimiter

    def columns(self) -> list[str]:
        with open_text(self.path, self.encoding) as file:
            return self._header(file)[0]

    def rows(self, wanted: Sequence[str]) -> Iterator[Raw]:
        with open_text(self.path, self.encoding) as file:
            header, rows, before = self._header(file)
            width = len(header)
            places = [header.index(name) for name in wanted]
            pick = itemgetter(*places) if len(places) > 1 else None
            for at, row in rows:
                line = before + at
                if row is None:
                    yield Raw(line, (), "a quotation mark is opened and not closed, or a cell is too long")
                    continue
                if len(row) != width:
                    if not any(cell.strip() for cell in row):
                        continue
                    if row[0].startswith(TOO_LONG[:-1]):
                        yield Raw(line, (), "a line too long to be a recipient")
                        continue
                    if len(row) < width or any(row[width:]):
                        yield Raw(line, (), f"{len(row)} cells where the first line has {width}")
                        continue
                values = pick(row) if pick else tuple(row[place] for place in places)
                if not any(values) and not any(cell.strip() for cell in row):
                    continue
                yield Raw(line, values)

    def _header(self, file: TextIO) -> tuple[list[str], Iterator[tuple[int, list[str] | None]], int]:
        source = lines(file)
        first, before = next(source, ""), 0
        delimiter = self._delimiter
        if first.lower().startswith("sep=") and len(first.strip()) == 5:
            delimiter, first, before = delimiter or first.strip()[4], next(source, ""), 1
        delimiter = delimiter or max(DELIMITERS, key=first.count)
        rows = records(chain([first], source), delimiter)
        header = [name.replace("\u00a0", " ").strip() for name in next(rows)[1] or []]
        while header and not header[-1]:
            header.pop()
        if not header or "\x00" in "".join(header):
            raise CampaignError({"recipients": "the first line must name the columns"})
        if sum(character.isdigit() for character in "".join(header)) >= 8:
            raise CampaignError({"recipients": "the first line must name the columns; it is a recipient"})
        _no_twins(header)
        return header, rows, before


def _no_twins(header: list[str]) -> None:
    named = [name for name in header if name]
    twins = sorted({name for name in named if named.count(name) > 1})
    if twins:
        raise CampaignError({"recipients": f"two columns have the same name: {', '.join(twins)}"})
