"""What operators hear of failed attempts, without a line for every job."""

from __future__ import annotations

import logging
import time

from interakt_jobs.errors import JobError
from interakt_jobs.ledger.redis_client import milliseconds
from worker.interakt.errors import InteraktError
from worker.ledger.work_ledger import WorkLedger
from worker.telemetry import sentry
from worker.telemetry.rate_limited_log import RateLimitedLog

log = logging.getLogger(__name__)
RECEIPT_HOUR_MS = 3_600_000
_in_five_minutes = RateLimitedLog(300.0)


def attempt_failed(account: str, error: InteraktError, operation: str, job: str, attempt: int) -> None:
    """Log a failed attempt; what stops a whole account is an alarm, to Sentry too, once in five minutes."""
    extra = {
        "action": "attempt_failed",
        "account": account,
        "operation": operation,
        "job": job,
        "attempt": attempt,
        "outcome": error.outcome,
        "scope": error.scope,
        "status": error.status,
    }
    if error.outcome == "refused" and error.scope in ("account", "deployment"):
        if _in_five_minutes(f"{account} {error.scope}:{error.status}"):
            log.critical("the account is paused: %s", error, extra={**extra, "action": "account_paused"})
            sentry.capture(error.outcome, operation, job, attempt, account, error)
        return
    log.warning("attempt failed", extra=extra)


def job_refused(account: str, job: str, operation: str, reason: str, error: str) -> None:
    """Log a job that is dead without a call, for which no failed attempt was logged."""
    extra = {"action": "job_refused", "account": account, "job": job, "operation": operation}
    log.warning("a job is dead", extra={**extra, "reason": reason, "error": error[:300]})


class ReceiptsSeen:
    """Whether receipts were seen in the last hour, asked of Redis at most once in five seconds."""

    def __init__(self, ledger: WorkLedger) -> None:
        self.ledger = ledger
        self._asked, self._seen = -10.0, False

    def __call__(self) -> bool:
        if time.monotonic() - self._asked > 5:
            self._asked = time.monotonic()
            try:
                clock, receipt = self.ledger.link.pipeline(
                    [("TIME",), ("HGET", f"{self.ledger.prefix}state", "receipts_at")]
                )
                self._seen = int(receipt or 0) > milliseconds(clock) - RECEIPT_HOUR_MS
            except JobError:
                return self._seen
        return self._seen
