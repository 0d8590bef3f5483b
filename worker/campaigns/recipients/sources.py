"""Where recipients come from: CSV, a workbook, JSON lines, or an iterator of dicts. All of them stream."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from worker.campaigns.definition.errors import CampaignError

from .csv_file import CsvFile
from .rows import Raw, Source
from .text_files import lines, open_text
from .workbook import Workbook

_FOREIGN = {
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls), or one with a password",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "a compressed file",
    b"{\\rtf": "a text document",
}

__all__ = ["CsvFile", "Dicts", "JsonLines", "Raw", "Source", "open_source", "picked"]


class JsonLines:
    """One JSON object a line."""

    keeps = True

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

    def rows(self, wanted: Sequence[str], own: Sequence[str] = ()) -> Iterator[Raw]:
        with open_text(self.path, self.encoding) as file:
            found = ((number, _object(line)) for number, line in enumerate(lines(file), 1) if line.strip())
            yield from _picked(found, "not a JSON object", wanted, own)


class Dicts:
    """Any iterable of dicts; it is gone through once. ``line`` counts from 1."""

    keeps = True

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._rows = iter(rows)
        self._first: list[Any] = []

    def columns(self) -> list[str]:
        if not self._first:
            self._first = [row for row in [next(self._rows, None)] if row is not None]
        if not self._first or not isinstance(self._first[0], Mapping):
            raise CampaignError({"recipients": "the first recipient must be a dict of values"})
        return [str(name) for name in self._first[0]]

    def rows(self, wanted: Sequence[str], own: Sequence[str] = ()) -> Iterator[Raw]:
        found = enumerate(chain(self._first, self._rows), 1)
        return _picked(found, "not a dict of values", wanted, own)


def open_source(path: Path | str, encoding: str = "", delimiter: str = "", lone: str = "") -> Source:
    """A file by what is in it: ``.jsonl`` and ``.ndjson`` are JSON lines, an Excel workbook is one, everything else CSV.

    ``lone`` names the only column of a file without a heading. Raises ``CampaignError`` for what is no table, ``OSError``.
    """
    path = Path(path)
    with path.open("rb") as file:
        start = file.read(8)
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        return JsonLines(path, encoding)
    if start.startswith(b"PK\x03\x04"):
        return Workbook(path, lone)
    for mark, what in _FOREIGN.items():
        if start.startswith(mark):
            raise CampaignError({"recipients": f"{what}: save the sheet as CSV UTF-8 or .xlsx"})
    return CsvFile(path, encoding, delimiter, lone)


def _object(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line.lstrip("\ufeff"))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _picked(
    rows: Iterable[tuple[int, Any]], problem: str, wanted: Sequence[str], own: Sequence[str]
) -> Iterator[Raw]:
    for line, row in rows:
        yield picked(line, row, wanted, own) if isinstance(row, Mapping) else Raw(line, (), problem)


def picked(line: int, row: Mapping[str, Any], wanted: Sequence[str], own: Sequence[str] = ()) -> Raw:
    """The wanted values of a row as texts; lists, tables and what is no number make it unreadable."""
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
    return Raw(line, tuple(values), "", tuple(_as_text(row.get(name)) for name in own))


def _as_text(value: object) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return ""
