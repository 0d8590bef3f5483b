"""For your own tests: what would have been enqueued is recorded, no Redis is needed.

    from interakt_jobs.testing import recording

    with recording() as outbox:
        sign_up("9999999999")
    assert outbox[0].operation == "send_template"

Everything is checked as always; a misspelt key fails here too. In pytest the fixture ``interakt_outbox`` does the same.
A job's ``get()`` gives what the test decides: ``outbox.finish(job, id="...")`` or ``outbox.fail(job, "rejected")``.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from celery.exceptions import TimeoutError as CeleryTimeoutError

from . import settings
from .errors import NoSuchJob, NotCancellable
from .job import Job
from .ledger.client import JobOptions, Ledger, NewJob
from .ledger.keys import job_id, own_key
from .ledger.record import ENDED, Reading
from .ledger.waiting import Waiting


@dataclass(frozen=True)
class Sent:
    """One recorded job. ``options`` holds ``on_done`` and its like; ``not_before`` and ``expires`` are ``"+<ms>"`` from
    then, ``"<ms>"`` since the epoch, or empty."""

    job: Job
    operation: str
    payload: dict[str, Any]
    account: str
    lane: str
    repeat: str
    not_before: str
    expires: str
    max_attempts: int
    options: dict[str, Any]
    idempotency_key: str


class Outbox:
    """What was enqueued, in order: ``len(outbox)``, ``outbox[0].payload``, ``outbox.of("send_template")``."""

    def __init__(self) -> None:
        self.jobs: list[Sent] = []
        self.readings: dict[str, Reading] = {}  # by job id
        self.keys: dict[
            tuple[str, str], tuple[str, str]
        ] = {}  # by account and idempotency key: job_key and digest

    def __len__(self) -> int:
        return len(self.jobs)

    def __iter__(self) -> Iterator[Sent]:
        return iter(self.jobs)

    def __getitem__(self, position: int) -> Sent:
        return self.jobs[position]

    def of(self, operation: str) -> list[Sent]:
        """The jobs of one operation: ``of("send_template")``."""
        return [sent for sent in self.jobs if sent.operation == operation]

    def clear(self) -> None:
        """Forget everything recorded."""
        self.jobs.clear()
        self.readings.clear()
        self.keys.clear()

    def finish(
        self,
        job: Job,
        *,
        id: str = "recorded",
        message: str = "",
        status: int = 201,
        data: Any = None,
        delivery: str = "",
        code: str = "",
    ) -> None:
        """End the job as accepted by Interakt: ``job.get()`` returns these.

        ``delivery`` is a receipt's kind (``sent``, ``delivered``, ``read``, ``failed``), ``code`` why it failed.
        """
        receipt = f"0.{delivery}.{_now()}.{code}" if delivery else ""
        self.end(
            job.id, state="done", provider_id=id, message=message, status=status, data=data, delivery=receipt
        )

    def fail(self, job: Job, reason: str, error: str = "") -> None:
        """End the job as a dead letter: ``job.get()`` raises ``JobDead``."""
        self.end(job.id, state="dead", reason=reason, error=error)

    def read(self, id: str) -> Reading:
        """The recorded job; raises ``NoSuchJob``."""
        if id not in self.readings:
            raise NoSuchJob(f"no job {id} was recorded")
        return self.readings[id]

    def end(self, id: str, **changes: Any) -> None:
        """Change a recorded job into an ended one; raises ``NoSuchJob``."""
        self.readings[id] = replace(self.read(id), ended=_now(), **changes)


class RecordedLedger(Ledger):
    """A ledger in memory; any account is registered here."""

    def __init__(self, outbox: Outbox, account: str) -> None:
        self.outbox, self.account = outbox, account

    def accept(self, terms: JobOptions, jobs: Sequence[NewJob]) -> list[str]:
        return [self._accept_one(terms, new) for new in jobs]

    def begin_accept(self, terms: JobOptions, jobs: Sequence[NewJob]) -> Callable[[], list[str]]:
        answers = self.accept(terms, jobs)
        return lambda: answers

    def read(self, job_key: str) -> Reading:
        return self.outbox.read(job_id(self.account, job_key))

    def waits_for(self, job_key: str) -> Waiting | None:
        return None if self.read(job_key).state in ENDED else Waiting("it is recorded, not sent")

    def wait(self, job_key: str, timeout: float | None, interval: float) -> Reading:
        """The reading of a job that the test has ended; raises Celery's ``TimeoutError`` for another."""
        found = self.read(job_key)
        if found.state not in ENDED:
            id = job_id(self.account, job_key)
            raise CeleryTimeoutError(f"job {id} is recorded, not sent: end it with outbox.finish(job)")
        return found

    def cancel(self, job_key: str) -> None:
        state, id = self.read(job_key).state, job_id(self.account, job_key)
        if state in ENDED and state != "cancelled":
            raise NotCancellable(id, state)
        self.outbox.end(id, state="cancelled")

    def forget(self, job_key: str) -> None:
        id = job_id(self.account, job_key)
        if self.read(job_key).state not in ("done", "cancelled"):
            raise NotCancellable(id, "not finished, or a dead letter")
        del self.outbox.readings[id]

    def _accept_one(self, terms: JobOptions, new: NewJob) -> str:
        id, readings = job_id(self.account, new.job_key), self.outbox.readings
        now, payload = _now(), json.loads(new.payload)
        if id in readings:
            return "known" if readings[id].payload == payload else "conflict"
        if new.key:
            key = self.account, new.key
            job_key, digest = self.outbox.keys.get(key, (new.job_key, new.digest))
            if job_key != new.job_key and job_id(self.account, job_key) in readings:
                return f"same {job_key}" if digest == new.digest else "conflict"
            self.outbox.keys[key] = new.job_key, new.digest
        options = json.loads(new.options) if new.options else {}
        due = max(now, _moment(terms.not_before, now))
        readings[id] = Reading(
            job_key=new.job_key,
            state="waiting" if due > now else "ready",
            operation=terms.operation,
            lane=terms.lane,
            accepted=now,
            expires=_moment(terms.expires, due),
            repeat=terms.repeat,
            max_attempts=terms.max_attempts,
            due=due,
            group=new.group,
            options=options,
            payload=payload,
        )
        self.outbox.jobs.append(
            Sent(
                job=Job(id),
                operation=terms.operation,
                payload=payload,
                account=self.account,
                lane=terms.lane,
                repeat=terms.repeat,
                not_before=terms.not_before,
                expires=terms.expires,
                max_attempts=terms.max_attempts,
                options=options,
                idempotency_key="" if new.key == own_key(new.job_key) else new.key,
            )
        )
        return "new"


@contextmanager
def recording() -> Iterator[Outbox]:
    """Record instead of enqueuing, in all threads of this process, until the block is left."""
    before, outbox = settings.make_ledger, Outbox()
    settings.make_ledger = partial(RecordedLedger, outbox)
    try:
        yield outbox
    finally:
        settings.make_ledger = before


def _moment(text: str, base: int) -> int:
    if not text:
        return 0
    return base + int(text[1:]) if text.startswith("+") else int(text)


def _now() -> int:
    return time.time_ns() // 1_000_000
