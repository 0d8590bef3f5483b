"""One batch of ``delay_many``: checked and accepted in pieces, each checked while Redis is at the one before."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from . import settings
from .errors import IdempotencyConflict
from .job import Job
from .ledger.client import JobOptions, NewJob

PIECE = 100


class Accepted(NamedTuple):
    """What became of one item of ``delay_many``: its position, its job, whether it is new, or the error."""

    position: int
    job: Job | None
    new: bool
    error: Exception | None = None


class Accepting(Iterator[Accepted]):
    """What ``delay_many`` gives: it accepts as it is looped over, once; dropped before that, it warns."""

    def __init__(self, found: Iterator[Accepted]) -> None:
        self._found = found
        self._read = False

    def __iter__(self) -> Iterator[Accepted]:
        self._read = True
        return self._found

    def __next__(self) -> Accepted:
        return next(iter(self))

    def __del__(self) -> None:
        if not self._read:
            warnings.warn(
                "delay_many was never read, so nothing was enqueued: loop over what it gives",
                RuntimeWarning,
                stacklevel=2,
                source=self,
            )


class Batch:
    """The items of one ``delay_many``: ``make(payload, key)`` checks an item and makes its job, ``common`` is for all."""

    def __init__(
        self, make: Callable[[Any, str | None], NewJob], common: JobOptions, account: str | None
    ) -> None:
        self.make, self.common, self.account = make, common, account
        self.found: dict[int, Accepted] = {}  # of the chunk under way, by position

    def accept_all(
        self, items: Iterable[Any], chunk: int, progress: Callable[[int], None] | None
    ) -> Iterator[Accepted]:
        """Accept them chunk by chunk, each when the one before it has been read."""
        left, start = iter(items), 0
        while batch := list(islice(left, chunk)):
            self.found = {}
            yield from self._accept(batch, start)
            start += len(batch)
            if progress is not None:
                progress(start)

    def _accept(self, items: list[Any], start: int) -> Iterator[Accepted]:
        """Accept a chunk in order. What was accepted before an error is yielded before it is raised."""
        finish: Callable[[], None] = _nothing
        try:
            for first in range(0, len(items), PIECE):
                jobs = self._check(items[first : first + PIECE], start + first)
                # nothing is sent before the piece before it is known to be accepted
                waited, finish = finish, _nothing
                waited()
                finish = self._send(jobs) if jobs else _nothing
            waited, finish = finish, _nothing
            waited()
        except Exception:
            with contextlib.suppress(Exception):
                finish()
            yield from self._in_order()
            raise
        yield from self._in_order()

    def _in_order(self) -> Iterator[Accepted]:
        return (self.found[position] for position in sorted(self.found))

    def _check(self, piece: list[Any], start: int) -> dict[int, NewJob]:
        """The jobs of a piece's items, by position; what is wrong with the others is already their result."""
        jobs: dict[int, NewJob] = {}
        for position, item in enumerate(piece, start):
            payload, key = item if isinstance(item, tuple) else (item, None)
            try:
                jobs[position] = self.make(payload, key)
            except (ValueError, TypeError) as error:
                self.found[position] = Accepted(position, None, False, error)
        return jobs

    def _send(self, jobs: dict[int, NewJob]) -> Callable[[], None]:
        ledger = settings.ledger(self.account)
        answers = ledger.begin_accept(self.common, list(jobs.values()))

        def finish() -> None:
            for (position, new), answer in zip(jobs.items(), answers(), strict=True):
                try:
                    job = Job.accepted(ledger.account, new.job_key, answer)
                    self.found[position] = Accepted(position, job, answer == "new")
                except IdempotencyConflict as error:
                    self.found[position] = Accepted(position, None, False, error)

        return finish


def _nothing() -> None:
    """No piece is under way."""
