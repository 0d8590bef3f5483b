"""Recipients from a CSV file, read so that one forgotten quotation mark costs one row.

Python's ``csv`` takes everything up to the next quotation mark for one cell, thousands of rows of it. Here a
record that goes on for too long is given up: its first line is reported, and the others are read again.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path

from .columns import is_phone
from .table_file import OPEN_QUOTE, Cells, TableFile
from .text_files import TOO_LONG, lines, open_text

DELIMITERS = ",;\t|"
SAMPLE = 20
MOST_LINES = 50
_SEPARATOR = re.compile(r'"?sep=(.)"?[,;\t| ]*', re.IGNORECASE)


class CsvFile(TableFile):
    """A spreadsheet's CSV; encoding and delimiter are found unless given."""

    def __init__(self, path: Path | str, encoding: str = "", delimiter: str = "", lone: str = "") -> None:
        super().__init__(path, lone)
        self.encoding, self.delimiter = encoding, delimiter

    @contextmanager
    def cells(self) -> Iterator[Cells]:
        with open_text(self.path, self.encoding) as file:
            source = lines(file)
            head = list(islice(source, 1))
            said = _SEPARATOR.fullmatch(head[0].strip("\r\n")) if head else None
            sample = [*([] if said else head), *islice(source, SAMPLE)]
            delimiter = self.delimiter or (said[1] if said else _delimiter_of(sample))
            yield _cells(chain(sample, source), delimiter, 1 if said else 0)


def _cells(source: Iterator[str], delimiter: str, before: int) -> Cells:
    for at, row in records(source, delimiter):
        if row and row[0].startswith(TOO_LONG[:-1]):
            yield before + at, "a line too long to be a recipient"
        else:
            yield before + at, OPEN_QUOTE if row is None else row


def _delimiter_of(sample: Sequence[str]) -> str:
    """The delimiter that gives a phone column; of several, the one by which most rows are no wider than the heading."""

    sample = [line for line in sample if line.strip(f'{DELIMITERS}" \r\n')]

    def points(delimiter: str) -> tuple[bool, float, int]:
        try:
            rows = [row for row in csv.reader(sample, delimiter=delimiter) if row]
        except csv.Error:
            return False, 0, 0
        width = len(rows[0]) if rows else 0
        fit = sum(1 < len(row) <= width for row in rows[1:])
        return any(map(is_phone, rows[0] if rows else ())), fit / max(len(rows) - 1, 1), width

    return max(DELIMITERS, key=points)


class _TooLong(Exception):
    """Raised into ``csv.reader`` when a record has more than ``MOST_LINES`` lines."""


class _Feed:
    """Hands lines to ``csv.reader`` and remembers those of the record at hand."""

    def __init__(self, source: Iterator[str]) -> None:
        self._lines = source
        self._again: deque[str] = deque()
        self.record: list[str] = []
        self.first, self.ended = 1, False

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        if len(self.record) == MOST_LINES:
            raise _TooLong
        if self._again:
            line = self._again.popleft()
        else:
            try:
                line = next(self._lines)
            except StopIteration:
                self.ended = True
                raise
        self.record.append(line)
        return line

    def begin(self) -> None:
        self.first += len(self.record)
        self.record = []

    def give_up(self) -> None:
        """Keep the record's first line as read, and hand out the others again."""
        self._again.extendleft(reversed(self.record[1:]))
        self.record = self.record[:1]
        self.ended = False


def records(source: Iterator[str], delimiter: str) -> Iterator[tuple[int, list[str] | None]]:
    """The first line's number and the cells of each record; None for one that is given up."""
    feed = _Feed(source)
    reader = csv.reader(feed, delimiter=delimiter)
    while True:
        feed.begin()
        try:
            row = next(reader)
        except StopIteration:
            return
        except (csv.Error, _TooLong):
            row = None
        if row is None or (feed.ended and len(feed.record) > 1):
            feed.give_up()
            row = None
        yield feed.first, row
