"""Where recipients come from: CSV, JSON lines, or an iterator of dicts. All of them stream."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from worker.campaigns.errors import CampaignError

from .csv_file import CsvFile
from .rows import Raw, Source
from .text_files import lines, open_text

__all__ = ["CsvFile", "Dicts", "JsonLines", "Raw", "Source", "open_source", "picked"]


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
                    Raw(number, (), "not a JSON object") if found is None else picked(number, found, wanted)
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
                picked(number, row, wanted)
                if isinstance(row, Mapping)
                else Raw(number, (), "not a dict of values")
            )


def open_source(path: Path | str, encoding: str = "") -> Source:
    """By the file's ending: ``.jsonl`` and ``.ndjson`` are JSON lines, everything else CSV."""
    if Path(path).suffix.lower() in (".jsonl", ".ndjson"):
        return JsonLines(path, encoding)
    return CsvFile(path, encoding)


def _object(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line.lstrip("\ufeff"))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def picked(line: int, row: Mapping[str, Any], wanted: Sequence[str]) -> Raw:
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
    return Raw(line, tuple(values))
