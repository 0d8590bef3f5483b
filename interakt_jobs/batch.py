"""One batch of ``delay_many``: checked and accepted in pieces, each checked while Redis is at the one before."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple, Protocol

from . import settings
from .errors import IdempotencyConflict
from .job import Job
from .ledger.client import JobOptions, NewJob
from .ledger.keys import job_id, mint_job_key

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


class Checked(Protocol):
    """What a batch asks of its operation."""

    def check(self, payload: Any) -> None: ...
    def new_job(self, payload: Any, job_key: str, options: str = "", key: str | None = None) -> NewJob: ...


class Batch:
    """The items of one ``delay_many``, a chunk at a time; ``start`` is the position of the chunk's first."""

    def __init__(self, operation: Checked, terms: JobOptions, options: str, account: str | None) -> None:
        self.operation, self.terms, self.options, self.account = operation, terms, options, account
        self.start = 0
        self.found: dict[int, Accepted] = {}

    def accept_all(
        self, items: Iterable[Any], chunk: int, progress: Callable[[int], None] | None
    ) -> Iterator[Accepted]:
        """Accept them chunk by chunk, each when the one before it has been read."""
        left = iter(items)
        while batch := list(islice(left, chunk)):
            self.found = {}
            yield from self.accept(batch)
            self.start += len(batch)
            if progress is not None:
                progress(self.start)

    def accept(self, items: list[Any]) -> Iterator[Accepted]:
        """Accept a chunk in order. What was accepted before an error is yielded before it is raised."""
        finish: Callable[[], None] = _nothing
        try:
            for first in range(0, len(items), PIECE):
                jobs = self._check(items[first : first + PIECE], self.start + first)
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
                self.operation.check(payload)
                new = self.operation.new_job(payload, mint_job_key(), self.options, key)
            except (ValueError, TypeError) as error:
                self.found[position] = Accepted(position, None, False, error)
                continue
            jobs[position] = new
        return jobs

    def _send(self, jobs: dict[int, NewJob]) -> Callable[[], None]:
        ledger = settings.ledger(self.account)
        answers = ledger.begin_accept(self.terms, list(jobs.values()))

        def finish() -> None:
            for (position, new), answer in zip(jobs.items(), answers(), strict=True):
                try:
                    job = handle(ledger.account, new, answer)
                    self.found[position] = Accepted(position, job, answer == "new")
                except IdempotencyConflict as error:
                    self.found[position] = Accepted(position, None, False, error)

        return finish


def _nothing() -> None:
    """No piece is under way."""


def handle(account: str, new: NewJob, answer: str) -> Job:
    """The job that ``answer`` of accept is about; raises ``IdempotencyConflict``."""
    if answer == "conflict":
        raise IdempotencyConflict("this idempotency_key or task_id was used before with another payload")
    job_key = answer.removeprefix("same ") if answer.startswith("same ") else new.job_key
    return Job(job_id(account, job_key))
