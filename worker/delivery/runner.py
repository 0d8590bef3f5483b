"""One wake-up's way through a worker: claim, validate, start, HTTP, settle, and on to the lane's next job.

The Celery task never raises because of a job: every outcome goes to the ledger.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Mapping, Sequence

from interakt_jobs.errors import JobError, LedgerUnreachable
from interakt_jobs.ledger.keys import job_id
from interakt_jobs.ledger.record import Record
from worker.dispatch.heartbeat import Heartbeat
from worker.interakt import correlation
from worker.interakt.client import Client, Prepared
from worker.ledger.work_ledger import Verdict, Work, WorkLedger
from worker.shutdown import stopping
from worker.threads import log_waiting

from .alarms import job_refused
from .attempt import Attempt, PermitStale
from .outcomes import Dead, Outcome, Unsent
from .requests import Requests

log = logging.getLogger(__name__)
LOOP_SECONDS = 5.0
WAIT_SECONDS, SETTLE_SECONDS = 1.0, 600.0
Local = Callable[[WorkLedger, str, Record], Outcome]


class Delivery:
    """Delivers one account's jobs in this process. ``local`` are the operations that make no call to Interakt."""

    def __init__(
        self,
        ledger: WorkLedger,
        client: Client,
        attempt: Attempt,
        heartbeat: Heartbeat,
        allow_unknown: bool,
        local: Mapping[str, Local] | None = None,
    ) -> None:
        self.ledger, self.client, self.attempt, self.heartbeat = ledger, client, attempt, heartbeat
        self.local = local or {}
        self.requests = Requests(ledger, client, attempt, allow_unknown, self.local)

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
            log_waiting("a delivery", error)
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
        prepared = self.requests.prepare(work, record)
        if isinstance(prepared, Outcome):
            outcome = prepared
        else:
            fresh = self._start(work, asked)
            if fresh is None:
                return None
            outcome = self._call(work, record, prepared, fresh) if fresh else Unsent()
        more = carry_on and not isinstance(outcome, Unsent) and not stopping()
        settled, after = self._settle(work, outcome, record.lane if more else "", token)
        if isinstance(outcome, Dead) and (prepared is outcome or record.operation in self.local):
            job_refused(self.ledger.account, self._id(work), record.operation, outcome.reason, outcome.error)
        if after is not None:
            self.heartbeat.hold(self.ledger, [after])
        if settled != "ok":
            log.info(
                "late answer", extra={"action": "late_answer", "job": self._id(work), "settled": settled}
            )
        return after

    def _settle(self, work: Work, outcome: Outcome, following: str, token: str) -> tuple[str, Work | None]:
        """Settle in the ledger, and try again while Redis is away: an outcome that is lost here is an unknown one."""
        began, again = time.monotonic(), False
        while True:
            asked = time.monotonic()
            try:
                settled, after = self.ledger.step(work, outcome.to_lua(), following, token, again)
            except LedgerUnreachable:
                patience = SETTLE_SECONDS
                if stopping():  # what was not sent the reaper gives back as well
                    patience = 0.0 if isinstance(outcome, Unsent) else self.ledger.lease_ms / 1000
                if time.monotonic() - began > patience:
                    raise
                time.sleep(0.3)
                again = True
                continue
            return settled, after._replace(asked=asked) if after is not None else None

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
                return (
                    0.0  # settled as unsent as soon as Redis is back, so that nobody takes this for a crash
                )
            if verdict.word != "wait":
                return None
            pause = verdict.millis / 1000

    def _call(self, work: Work, record: Record, body: Prepared, fresh: float) -> Outcome:
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
        self.heartbeat.tuner.measured(time.monotonic() - began, time.thread_time() - cpu)
        return outcome

    def _id(self, work: Work) -> str:
        return job_id(self.ledger.account, work.job_key)
