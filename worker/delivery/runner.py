"""One wake-up's way through a worker: claim, validate, start, HTTP, settle, and on to the lane's next job.

The Celery task never raises for a job's sake: whatever an attempt comes to is told to the ledger.
"""

from __future__ import annotations

import json
import logging
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import schemas
from interakt_jobs import PayloadError
from interakt_jobs import settings as producer_settings
from interakt_jobs.check import check_size
from interakt_jobs.errors import JobError, LedgerUnreachable
from interakt_jobs.ledger.keys import job_id
from interakt_jobs.ledger.record import Record, phone_of
from interakt_jobs.recipient import earlier_hashes, recipient_hash
from worker.dispatch.heartbeat import Heartbeat
from worker.interakt import correlation
from worker.interakt.client import Client
from worker.interakt.errors import InteraktError
from worker.lasting import tell
from worker.ledger.work_ledger import Verdict, Work, WorkLedger
from worker.shutdown import stopping

from .alarms import job_refused
from .outcomes import Attempt, PermitStale

log = logging.getLogger(__name__)
LOOP_SECONDS = 5.0
WAIT_SECONDS, SETTLE_SECONDS = 1.0, 600.0
MOST_ADVICE = 1000
UNSENT = ("unsent",)


class Delivery:
    """Delivers one account's jobs in this process. ``local`` are operations that are no call: each gives an outcome."""

    def __init__(
        self,
        ledger: WorkLedger,
        client: Client,
        attempt: Attempt,
        heartbeat: Heartbeat,
        allow_unknown: bool,
        local: Mapping[str, Callable[[WorkLedger, str, Record], Sequence[Any]]] | None = None,
    ) -> None:
        self.ledger, self.client, self.attempt, self.heartbeat = ledger, client, attempt, heartbeat
        self.allow_unknown, self.local = allow_unknown, local or {}
        self._advised: set[tuple[str, str]] = set()

    def deliver(self, job_keys: Sequence[str], yields: Callable[[], bool] = lambda: False) -> int:
        """Handle a wake-up and then what else is due, until another ``yields`` to; returns how many jobs were handled.

        Redis being away is logged and repaired by the reaper.
        """
        token = uuid.uuid4().hex
        handled = 0
        claimed: list[Work] = []
        work: Work | None = None
        try:
            claimed = self.ledger.claim(token, job_keys)
            self.heartbeat.hold(self.ledger, claimed)
            while claimed:
                work = claimed.pop(0)
                until = time.monotonic() + LOOP_SECONDS
                while work is not None:
                    carry_on = not claimed and time.monotonic() < until and not yields()
                    following = self._one(work, token, carry_on)
                    self.heartbeat.drop(self.ledger, [work])
                    work = following
                    handled += 1
        except JobError as error:
            tell("a delivery", error)
        except Exception as error:  # a defect must not look like a task that Celery may retry
            log.error(
                "delivery failed",
                extra={"action": "delivery_failed", "error": type(error).__name__},
                exc_info=error,
            )
        finally:  # whatever ended the loop: a lease renewed for nobody would keep its job for ever
            self.heartbeat.drop(self.ledger, [*claimed, *([work] if work else [])])
        return handled

    def _one(self, work: Work, token: str, carry_on: bool) -> Work | None:
        asked = work.asked or time.monotonic()
        try:
            record = Record.parse(work.record)
        except ValueError:  # of a newer version, or damaged: the script that would start it knows what to do
            self._start(work, asked)
            return None
        operation, lane = record.operation, record.lane
        outcome: Sequence[Any]
        prepared = self._prepare(work, record)
        if isinstance(prepared, bytes):
            fresh = self._start(work, asked)
            if fresh is None:
                return None
            outcome = self._call(work, record, prepared, fresh) if fresh else UNSENT
        else:
            outcome = prepared
        following = lane if carry_on and outcome is not UNSENT and not stopping() else ""
        settled, after = self._settle(work, outcome, following, token)
        if outcome[0] == "dead" and (prepared is outcome or operation in self.local):
            job_refused(self.ledger.account, self._id(work), operation, *outcome[1:3])
        if after is not None:
            self.heartbeat.hold(self.ledger, [after])
        if settled != "ok":
            log.info(
                "late answer", extra={"action": "late_answer", "job": self._id(work), "settled": settled}
            )
        return after

    def _settle(
        self, work: Work, outcome: Sequence[Any], following: str, token: str
    ) -> tuple[str, Work | None]:
        """Tell the ledger, and keep telling it while Redis is away: an outcome lost here is an unknown one."""
        began, again = time.monotonic(), False
        while True:
            asked = time.monotonic()
            try:
                settled, after = self.ledger.step(work, outcome, following, token, again)
            except LedgerUnreachable:
                patience = SETTLE_SECONDS
                if stopping():  # what was not sent the reaper gives back as well
                    patience = 0.0 if outcome is UNSENT else self.ledger.lease_ms / 1000
                if time.monotonic() - began > patience:
                    raise
                time.sleep(0.3)
                again = True
                continue
            return settled, after._replace(asked=asked) if after is not None else None

    def _prepare(self, work: Work, record: Record) -> bytes | Sequence[Any]:
        """The request's body, or how a payload that cannot be sent is settled."""
        operation = record.operation
        try:
            check_size(record.payload, producer_settings.max_payload_bytes())
            if operation in self.local:
                return b""
            payload = json.loads(record.payload.encode())
            payload = schemas.complete(operation, payload)
            self._advise(work, operation, schemas.check(operation, payload, allow_unknown=self.allow_unknown))
            if record.lane == "bulk" and self._opted_out_earlier(payload):
                return self.attempt.dead("opted_out", "the recipient has opted out", None)
            return self.client.prepare(operation, correlation.address(operation, payload, self._id(work)))
        except InteraktError as error:  # a file to upload cannot be had
            return self.attempt.failed(error, work.attempts + 1)
        except (schemas.Invalid, PayloadError) as error:
            return self.attempt.dead("invalid_payload", str(error), None)
        except KeyError:
            return self.attempt.dead(
                "unknown_operation", f"this worker knows no operation {operation[:40]!r}", None
            )
        except (ValueError, TypeError, RecursionError) as error:
            return self.attempt.dead(
                "invalid_payload", f"the payload cannot be read: {type(error).__name__}", None
            )

    def _opted_out_earlier(self, payload: dict[str, Any]) -> bool:
        """Whether this person is on the list by another form of the number than the one that made the job's hash.

        Releases that knew one form alone kept people so; and an application that is older than the worker still asks so.
        """
        digits = phone_of(payload)
        hashes = earlier_hashes(digits)
        return bool(hashes) and 1 in self.ledger.link.command(
            "SMISMEMBER", f"{self.ledger.prefix}optout", recipient_hash(digits), *hashes
        )

    def _advise(self, work: Work, operation: str, warnings: Sequence[str]) -> None:
        """Log what WhatsApp is likely to refuse: each warning once a process, a campaign has a million of the same."""
        for warning in warnings:
            if (operation, warning) in self._advised or len(self._advised) >= MOST_ADVICE:
                continue
            self._advised.add((operation, warning))
            extra = {"action": "payload_warning", "job": self._id(work), "operation": operation}
            log.warning(warning, extra=extra)

    def _start(self, work: Work, asked: float) -> float | None:
        """Take the permit: the monotonic time until which it is fresh, 0 to give the job back, None when it is not ours."""
        if work.verdict == "go":
            return asked + work.millis / 1000
        pause = work.millis / 1000 if work.verdict == "wait" else 0.0
        give_up = asked + WAIT_SECONDS
        while True:
            if stopping() or asked + pause > give_up:
                return 0.0
            if pause:
                time.sleep(pause)
            asked = time.monotonic()
            try:
                verdict = self.ledger.start(work.job_key, work.fence)
            except LedgerUnreachable:
                verdict = Verdict("gone")
            if verdict.word == "go":
                return asked + verdict.millis / 1000
            if verdict.word == "gone":
                return 0.0  # told, as soon as Redis is back, so that nobody takes this for a crash
            if verdict.word != "wait":
                return None
            pause = verdict.millis / 1000

    def _call(self, work: Work, record: Record, body: bytes, fresh: float) -> Sequence[Any]:
        def permit_is_fresh() -> None:
            if stopping() or time.monotonic() > fresh:
                raise PermitStale

        if record.operation in self.local:
            return self.local[record.operation](self.ledger, work.job_key, record)
        began, cpu = time.monotonic(), time.thread_time()
        with self.heartbeat.calling(work):
            outcome = self.attempt.make(
                self.client,
                record.operation,
                body,
                work.attempts + 1,
                permit_is_fresh,
                self._id(work),
                correlation.callback_of(record.payload),
            )
        self.heartbeat.measured(time.monotonic() - began, time.thread_time() - cpu)
        return outcome

    def _id(self, work: Work) -> str:
        return job_id(self.ledger.account, work.job_key)
