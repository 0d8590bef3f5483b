"""A job's handle: Celery's ``AsyncResult`` over the ledger, from any process, by id."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from celery.result import AsyncResult, assert_will_not_block, promise

from . import settings
from .backend import results_app
from .errors import IdempotencyConflict
from .event import JobEvent
from .ledger.keys import account_name, job_id, mint_job_key, parse
from .ledger.record import ENDED, Reading
from .ledger.waiting import Waiting
from .result import celery_state, event_of, outcome


class Job(AsyncResult):  # type: ignore[misc]
    """An accepted job. ``Job(id)`` finds it from any process; using an unknown id raises ``NoSuchJob``."""

    # What Celery's own __init__ sets, made when asked for: of thousands of handles most are never asked.
    parent = _cache = None
    _ignored = False

    def __init__(self, id: str, **_: Any) -> None:
        self.account, self.job_key = parse(id)
        self.id = id

    @classmethod
    def accepted(cls, account: str, job_key: str, answer: str) -> Job:
        """The job that ``answer`` of ``Ledger.accept`` is about; raises ``IdempotencyConflict``."""
        if answer == "conflict":
            raise IdempotencyConflict("this idempotency_key or task_id was used before with another payload")
        return cls(job_id(account, answer.removeprefix("same ") if answer.startswith("same ") else job_key))

    def __del__(self) -> None:
        """Nothing is pending here; Celery's would ask the backend."""

    @property
    def app(self) -> Any:
        return results_app()

    @property
    def backend(self) -> Any:
        return self.app.backend

    @cached_property
    def on_ready(self) -> Any:
        return promise(self._on_fulfilled, weak=True)

    def __reduce__(self) -> tuple[type[Job], tuple[str]]:
        return Job, (self.id,)

    def read(self) -> Reading:
        """The job as it is in the ledger now: more than Celery's state says."""
        return settings.ledger(self.account).read(self.job_key)

    def waits_for(self) -> Waiting | None:
        """Why it has not been sent yet, and until when: ``Waiting(why, until)``; None when it runs or has ended."""
        return settings.ledger(self.account).waits_for(self.job_key)

    @property
    def state(self) -> str:
        """Celery's word for where the job is: PENDING, STARTED, RETRY, SUCCESS, FAILURE or REVOKED."""
        return celery_state(self.read())

    status = state

    @property
    def result(self) -> Any:
        """Interakt's answer as a dict, the exception of a dead job, or None while it has not ended."""
        return outcome(self.id, self.read())

    info = result

    @property
    def event(self) -> JobEvent | None:
        """The latest event of the job, as ``on_done`` passes it; None before its end."""
        return event_of(self.id, self.read())

    def ready(self) -> bool:
        return self.read().state in ENDED

    def get(
        self,
        timeout: float | None = None,
        propagate: bool = True,
        interval: float = 0.5,
        disable_sync_subtasks: bool = True,
        **_: Any,
    ) -> Any:
        """Wait for the end and return Interakt's answer; raises ``JobDead``, ``JobCancelled``, ``TimeoutError``.

        ``timeout`` in seconds; ``interval`` is how often to look when no notification comes. Inside a task it raises
        ``RuntimeError`` as Celery's own does.
        """
        if disable_sync_subtasks:
            assert_will_not_block()
        reading = settings.ledger(self.account).wait(self.job_key, timeout, interval)
        found = outcome(self.id, reading)
        if propagate and isinstance(found, Exception):
            raise found
        return found

    wait = get

    def revoke(self, *_: Any, **__: Any) -> None:
        """Cancel a job that is not running; raises ``NotCancellable`` with the state that forbids it.

        One that may have been sent is not sent again, and ends when its receipt came or the hold is over.
        """
        settings.ledger(self.account).cancel(self.job_key)

    cancel = revoke

    def forget(self) -> None:
        """Drop a finished job's result."""
        settings.ledger(self.account).forget(self.job_key)

    def __repr__(self) -> str:
        return f"<Job {self.id}>"


def new_id(account: str | None = None) -> str:
    """A job's id before the job: keep it with your own data, then enqueue with ``task_id=``, as often as you like."""
    return job_id(account_name(account) if account else settings.current.account, mint_job_key())
