"""The ledger as applications use it: accept, read, cancel. worker/ledger has the rest, docs/protocol.md the format."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

from interakt_jobs.errors import LedgerDamaged, LedgerFull, NoSuchJob, NotCancellable, Unregistered

from . import record
from .keys import job_id, prefix
from .redis_client import Argument, RedisClient
from .scripts import load
from .wait import wait_for_end
from .waiting import Waiting, waits_for

ACCEPT, READ, CANCEL, FORGET = (load(name) for name in ("accept", "read", "cancel", "forget"))
KEEP_KEY_SECONDS = 7 * 86400


class JobOptions(NamedTuple):
    """What the jobs of one accept call have in common.

    ``not_before`` and ``expires`` are ``"+<ms>"`` from now, ``"<ms>"`` since the epoch, or empty; ``flags`` are those of
    ``Operation.flags``, ``key_id`` names the key of an encrypted payload, ``traceparent`` is W3C's.
    """

    operation: str
    lane: str
    not_before: str = ""
    expires: str = ""
    repeat: str = "never"
    max_attempts: int = 8
    allow_unregistered: bool = False
    flags: str = "c"
    key_id: str = ""
    traceparent: str = ""


class NewJob(NamedTuple):
    """One job to accept: its job_key, its payload as JSON text and what is its own."""

    job_key: str
    payload: str
    recipient: str = ""
    group: str = ""
    options: str = ""
    key: str = ""
    digest: str = ""


class Ledger:
    """The records of one account."""

    def __init__(self, link: RedisClient, account: str) -> None:
        self.link, self.account, self.prefix = link, account, prefix(account)
        self._keys = [self.prefix]

    def accept(self, terms: JobOptions, jobs: Sequence[NewJob]) -> list[str]:
        """Accept jobs in one call: ``"new"``, ``"known"``, ``"same <job_key>"`` or ``"conflict"`` for each, in order.

        Raises ``Unregistered``, ``LedgerFull`` and ``LedgerUnreachable``; after the first two nothing was accepted.
        """
        return self._accepted(self.link.run(ACCEPT, self._keys, *self._arguments(terms, jobs)))

    def begin_accept(self, terms: JobOptions, jobs: Sequence[NewJob]) -> Callable[[], list[str]]:
        """``accept`` in two halves: the call is sent, what is returned waits for its answer."""
        answer = self.link.begin(ACCEPT, self._keys, *self._arguments(terms, jobs))
        return lambda: self._accepted(answer())

    def _arguments(self, terms: JobOptions, jobs: Sequence[NewJob]) -> list[Argument]:
        arguments: list[Argument] = [
            terms.operation,
            terms.flags,
            terms.lane,
            terms.not_before,
            terms.expires,
            terms.repeat,
            terms.max_attempts,
            "1" if terms.allow_unregistered else "0",
            KEEP_KEY_SECONDS,
            terms.key_id,
            terms.traceparent,
        ]
        for job in jobs:
            key = hashlib.blake2b(job.key.encode(), digest_size=16).hexdigest() if job.key else ""
            arguments += (job.job_key, job.recipient, job.group, job.options, job.payload, key, job.digest)
        return arguments

    def _accepted(self, answer: list[bytes]) -> list[str]:
        answers = [item.decode() for item in answer]
        if answers[0] == "unregistered":
            raise Unregistered(self.account)
        if answers[0] == "keyless":
            raise Unregistered(self.account, keyless=True)
        if answers[0] == "full":
            raise LedgerFull(f"Redis is nearly full: it takes no {answers[1]} work now; try again later")
        return answers

    def read(self, job_key: str) -> record.Reading:
        """The job as it is now; raises ``NoSuchJob``, and ``LedgerDamaged`` when what is kept of it is no record."""
        answer = self.link.run(READ, self._keys, job_key)
        try:
            found = record.read(job_key, answer)
        except (ValueError, LookupError, TypeError, AttributeError):
            raise LedgerDamaged(
                f"what Redis holds of job {job_id(self.account, job_key)} cannot be read"
            ) from None
        if found is None:
            raise NoSuchJob(
                f"no job {job_id(self.account, job_key)}: a wrong id, or its result is no longer kept"
            )
        return found

    def waits_for(self, job_key: str) -> Waiting | None:
        """Why the job has not been sent yet, and until when; None when it runs or has ended; raises ``NoSuchJob``."""
        return waits_for(self, self.read(job_key))

    def wait(self, job_key: str, timeout: float | None, interval: float) -> record.Reading:
        """The ended job; raises Celery's ``TimeoutError`` after ``timeout`` seconds, and ``NoSuchJob``."""
        return wait_for_end(
            lambda: self.read(job_key), self.link.url, f"{self.prefix}ended:{job_key}", timeout, interval
        )

    def cancel(self, job_key: str) -> None:
        """Cancel a job that is not running; raises ``NotCancellable`` and ``NoSuchJob``."""
        answer = self.link.run(CANCEL, self._keys, job_key).decode()
        if answer == "missing":
            raise NoSuchJob(f"no job {job_id(self.account, job_key)}")
        if answer not in ("cancelled", "known"):
            raise NotCancellable(job_id(self.account, job_key), answer)

    def forget(self, job_key: str) -> None:
        """Drop a finished job's result; one that is alive or a dead letter stays: ``NotCancellable``."""
        answer = self.link.run(FORGET, self._keys, job_key).decode()
        if answer == "alive":
            raise NotCancellable(job_id(self.account, job_key), "not finished, or a dead letter")
