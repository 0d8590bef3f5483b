"""A job's handle: Celery's ``AsyncResult`` over the ledger, from any process, by id."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from celery.result import AsyncResult, assert_will_not_block, promise

from . import settings
from .errors import JobCancelled, JobDead
from .event import JobEvent, latest
from .ledger.keys import account_name, job_id, mint_tail, parse
from .ledger.record import ENDED, Reading
from .ledger.waiting import Waiting

STATES = {
    "ready": "PENDING",
    "waiting": "PENDING",
    "parked": "PENDING",
    "released": "PENDING",
    "running": "STARTED",
    "unknown": "RETRY",
    "done": "SUCCESS",
    "dead": "FAILURE",
    "cancelled": "REVOKED",
}


def celery_state(reading: Reading) -> str:
    """The Celery state that says most of what the ledger says."""
    state = STATES[reading.state]
    return "RETRY" if state == "PENDING" and reading.attempts else state


def outcome(id: str, reading: Reading) -> Any:
    """What an ended job gives: a dict of Interakt's answer, or the exception to raise.

    The dict has ``id``, ``message`` and ``status``; ``callbackData`` as the caller gave it, if he did; ``data`` when the
    call reads something; ``delivery`` once a receipt has come: ``{"kind": "sent", "at_ms": ..., "code": None}``, with
    WhatsApp's code when the kind is ``failed``; ``was`` (dead or cancelled) when that end has been corrected.
    """
    if reading.state == "done":
        found: dict[str, Any] = {
            "id": reading.provider_id or None,
            "message": reading.message,
            "status": reading.status,
        }
        sent = reading.operation.startswith("send_")
        if reading.data is not None and not sent:
            found["data"] = reading.data
        if own := sent and (reading.data or reading.payload or {}).get("callbackData"):
            found["callbackData"] = own
        if reading.delivery:
            _, kind, at, code = reading.delivery.split(".", 3)
            found["delivery"] = {"kind": kind, "at_ms": int(at), "code": code or None}
        if reading.was:
            found["was"] = reading.was
        return found
    if reading.state == "dead":
        return JobDead(id, reading.reason, reading.error, reading.log)
    if reading.state == "cancelled":
        return JobCancelled(f"job {id} was cancelled" + (f"; {reading.message}" if reading.message else ""))
    return None


def event_of(id: str, reading: Reading) -> JobEvent | None:
    """The latest that was told, or could have been told, of a job; None before its end."""
    if reading.state not in ENDED:
        return None
    _, kind, _, code = reading.delivery.split(".", 3) if reading.delivery else ("", "", "", "")
    return latest(
        id,
        reading.state,
        reason=reading.reason,
        was=reading.was,
        round=reading.round,
        receipt=kind,
        code=code,
        provider_id=reading.provider_id,
    )


class Job(AsyncResult):  # type: ignore[misc]
    """An accepted job. ``Job(id)`` finds it from any process; using an unknown id raises ``NoSuchJob``."""

    # What Celery's own __init__ sets, made when asked for: of thousands of handles most are never asked.
    parent = _cache = None
    _ignored = False

    def __init__(self, id: str, **_: Any) -> None:
        self.account, self.tail = parse(id)
        self.id = id

    def __del__(self) -> None:
        """Nothing is pending here; Celery's would ask the backend."""

    @property
    def app(self) -> Any:
        from .backend import results_app

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
        """The job as it is in the ledger now, in our own words."""
        return settings.ledger(self.account).read(self.tail)

    def waits_for(self) -> Waiting | None:
        """Why it has not been sent yet, and until when: ``Waiting(why, until)``; None when it runs or has ended."""
        return settings.ledger(self.account).waits_for(self.tail)

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
        """The latest event of the job, in the shape that ``on_done`` is told; None before its end."""
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
        from .ledger.wait import wait_for_end

        reading = wait_for_end(self.account, self.tail, timeout, interval)
        found = outcome(self.id, reading)
        if propagate and isinstance(found, Exception):
            raise found
        return found

    wait = get

    def revoke(self, *_: Any, **__: Any) -> None:
        """Cancel a job that is not running; raises ``NotCancellable`` with the state that forbids it.

        One that may have been sent is not sent again, and ends when its receipt came or the hold is over.
        """
        settings.ledger(self.account).cancel(self.tail)

    cancel = revoke

    def forget(self) -> None:
        """Drop a finished job's result."""
        settings.ledger(self.account).forget(self.tail)

    def __repr__(self) -> str:
        return f"<Job {self.id}>"


def new_id(account: str | None = None) -> str:
    """A job's id before the job: keep it with your own data, then enqueue with ``task_id=``, as often as you like."""
    return job_id(account_name(account) if account else settings.default_account(), mint_tail())
