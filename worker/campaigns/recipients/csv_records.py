"""CSV records with the line each begins on, read so that one forgotten quotation mark costs one row.

Python's ``csv`` takes everything up to the next quotation mark for one cell, thousands of rows of it. Here a
record that goes on for too long is given up: its first line is reported, and the others are read again.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator

MOST_LINES = 50


class _TooLong(Exception):
    """Raised into ``csv.reader`` when a record has more than ``MOST_LINES`` lines."""


class _Feed:
    """Hands lines to ``csv.reader`` and remembers those of the record at hand."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
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


def records(lines: Iterator[str], delimiter: str) -> Iterator[tuple[int, list[str] | None]]:
    """The first line's number and the cells of each record; None for one that is given up."""
    feed = _Feed(lines)
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
