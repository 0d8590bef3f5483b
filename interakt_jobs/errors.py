"""What an application may have to catch: docs/applications.md says when each is raised, and what to do then."""

from __future__ import annotations

from typing import Any


class JobError(Exception):
    """The base of what this package raises, besides ``PayloadError``."""


class PayloadError(ValueError):
    """Raised when a payload has a wrong name or type; ``errors`` maps each path to what is wrong there.

    It names no value: the text may go to a log.
    """

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(errors)
        self.errors = errors

    def __str__(self) -> str:
        return "; ".join(f"{path}: {what}" for path, what in self.errors.items())


class NotConfigured(JobError):
    """Raised when no Redis URL is known: call ``configure(redis_url=...)`` or set ``INTERAKT_REDIS_URL``."""


class InvalidJobId(JobError, ValueError):
    """Raised for a text that is no job's id."""


class LedgerUnreachable(JobError, ConnectionError):
    """Raised when Redis gives no answer within five seconds, or cannot do what was asked for now.

    Its text says why and what to do; ``word`` is Redis's own word for it, such as ``READONLY``.
    """

    def __init__(self, text: str, word: str = "") -> None:
        super().__init__(text)
        self.word = word


class LedgerRefused(LedgerUnreachable):
    """Raised when Redis refuses and goes on doing so until a person acts: the text says what to do."""


class LedgerDamaged(LedgerUnreachable):
    """Raised when a key of the ledger holds something else: a worker sets it aside within seconds and names it."""


class LedgerFull(JobError):
    """Raised when Redis is nearly full: bulk work is refused first, then all."""


class Unregistered(JobError):
    """Raised when no worker ever registered ``account`` at this Redis, or Redis lost its data a few seconds ago.

    ``keyless``: living workers have no key for it any more.
    """

    def __init__(self, account: str, keyless: bool = False) -> None:
        super().__init__(account, keyless)
        self.account, self.keyless = account, keyless

    def __str__(self) -> str:
        if self.keyless:
            return (
                f"the workers have no key for the account {self.account!r} any more: give them its INTERAKT_API_KEY again, "
                "or use another account"
            )
        return (
            f"no worker ever registered the account {self.account!r} at this Redis: check the account's name and "
            "INTERAKT_REDIS_URL, start a worker, or pass configure(allow_unregistered=True) before the first start"
        )


class IdempotencyConflict(JobError):
    """Raised when an idempotency key or a ``task_id`` comes again with another payload."""


class NoSuchJob(JobError, KeyError):
    """Raised when no job has this id, or its result has been dropped."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else "no such job"


class NotCancellable(JobError):
    """Raised when a job can no longer be cancelled; ``state`` says why."""

    def __init__(self, job_id: str, state: str) -> None:
        super().__init__(job_id, state)
        self.job_id, self.state = job_id, state

    def __str__(self) -> str:
        return f"job {self.job_id} cannot be cancelled: it is {self.state}"


class JobCancelled(JobError):
    """Raised by ``get`` when the job was cancelled."""


class JobDead(JobError):
    """Raised by ``get`` when the job ended as a dead letter.

    ``reason`` is one of the closed list in the docs, ``error`` is Interakt's text or ours, ``attempts`` a list of
    ``{"at": ms, "outcome": str, "error": str, "status": int}``.
    """

    def __init__(
        self, job_id: str, reason: str, error: str = "", attempts: list[dict[str, Any]] | None = None
    ) -> None:
        super().__init__(job_id, reason, error, attempts)
        self.job_id, self.reason, self.error, self.attempts = job_id, reason, error, attempts or []

    def __str__(self) -> str:
        return f"job {self.job_id} is dead: {self.reason}" + (f" ({self.error})" if self.error else "")
