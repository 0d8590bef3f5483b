"""Where recipients come from: CSV, JSON lines, or an iterator of dicts. All of them stream."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TextIO

from .errors import CampaignError
from .records import records
from .texts import TOO_LONG, lines, open_text

DELIMITERS = ",;\t|"


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


class JsonLines:
    """One JSON object a line."""

    def __init__(self, path: Path | str, encoding: str = "") -> None:
        self.path, self.encoding = Path(path), encoding

    def columns(self) -> list[str]:
        with open_text(self.path, self.encoding) as file:
            for line in lines(file):
                if line.strip():
                    found = _object(line)
                    if found is None:
                        break
                    return list(found)
        raise CampaignError({"recipients": "the first line must be a JSON object"})

    def rows(self, wanted: Sequence[str]) -> Iterator[Raw]:
        with open_text(self.path, self.encoding) as file:
            for number, line in enumerate(lines(file), 1):
                if not line.strip():
                    continue
                found = _object(line)
                yield (
                    Raw(number, (), "not a JSON object") if found is None else _picked(number, found, wanted)
                )


class Dicts:
    """Any iterable of dicts; it is gone through once. ``line`` counts from 1."""

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._rows = iter(rows)
        self._first: list[Any] = []

    def columns(self) -> list[str]:
        if not self._first:
            self._first = [row for row in [next(self._rows, None)] if row is not None]
        if not self._first or not isinstance(self._first[0], Mapping):
            raise CampaignError({"recipients": "the first recipient must be a dict of values"})
        return [str(name) for name in self._first[0]]

    def rows(self, wanted: Sequence[str]) -> Iterator[Raw]:
        for number, row in enumerate(chain(self._first, self._rows), 1):
            yield (
                _picked(number, row, wanted)
                if isinstance(row, Mapping)
                else Raw(number, (), "not a dict of values")
            )


def open_source(path: Path | str, encoding: str = "") -> Source:
    """By the file's ending: ``.jsonl`` and ``.ndjson`` are JSON lines, everything else CSV."""
    if Path(path).suffix.lower() in (".jsonl", ".ndjson"):
        return JsonLines(path, encoding)
    return CsvFile(path, encoding)


def _no_twins(header: list[str]) -> None:
    named = [name for name in header if name]
    twins = sorted({name for name in named if named.count(name) > 1})
    if twins:
        raise CampaignError({"recipients": f"two columns have the same name: {', '.join(twins)}"})


def _object(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line.lstrip("\ufeff"))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _picked(line: int, row: Mapping[str, Any], wanted: Sequence[str]) -> Raw:
    values = []
    for name in wanted:
        value = row.get(name)
        if isinstance(value, str):
            values.append(value)
        elif value is None:
            values.append("")
        elif isinstance(value, bool) or not isinstance(value, int | float):
            return Raw(line, (), f"{name}: neither text nor a number")
        elif isinstance(value, float) and not math.isfinite(value):
            return Raw(line, (), f"{name}: not a number")
        else:
            try:
                values.append(str(value))
            except ValueError:
                return Raw(line, (), f"{name}: a number too long")
    return Raw(line, tuple(values))
