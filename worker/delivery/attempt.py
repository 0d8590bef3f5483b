"""One attempt: the call to Interakt, and the outcome that its answer or error means."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass

from interakt_jobs import OPERATIONS
from interakt_jobs.ledger.record import shortened
from worker.interakt.client import Client, Prepared
from worker.interakt.errors import InteraktError

from .outcomes import (
    AccountPaused,
    Done,
    Outcome,
    Retry,
    TemplatePaused,
    Throttled,
    Unknown,
    Unsent,
    dead,
    log_entry,
)

LONGEST_RETRY_AFTER = 3600.0


class PermitStale(Exception):
    """Raised right before the request's bytes would leave when the permit has grown too old to be inside the limit."""


@dataclass(frozen=True)
class RetryPolicy:
    """Exponential backoff with full jitter, ``base`` and ``cap`` in seconds; the ledger counts a job's attempts."""

    base: float = 1.0
    cap: float = 300.0

    def delay(self, error: InteraktError, attempt: int, chance: float) -> float | None:
        """Seconds until the next attempt after ``attempt`` (1 for the first), or None when there is none.

        ``chance`` is from 0 up to 1. Interakt's Retry-After is the least that is waited, at most an hour.
        """
        if error.outcome == "refused" and error.scope == "job":
            return None
        jittered = chance * min(self.cap, self.base * 2.0 ** min(max(attempt, 1) - 1, 60))
        if error.retry_after is None:
            return jittered
        return min(max(error.retry_after, 0.0), LONGEST_RETRY_AFTER) + min(jittered, self.base)


class Attempt:
    """Makes attempts of one account.

    ``keep_seconds`` is how long a result is kept. ``on_error(error, operation, job, attempt)`` is called for each failure.
    """

    def __init__(
        self,
        retry: RetryPolicy,
        *,
        keep_seconds: float,
        on_error: Callable[[InteraktError, str, str, int], None] = lambda *_: None,
        receipts_live: Callable[[], bool] = lambda: False,
    ) -> None:
        self.retry, self.keep = retry, max(1, int(keep_seconds))
        self.on_error, self.receipts_live = on_error, receipts_live

    def make(
        self,
        client: Client,
        operation: str,
        body: Prepared,
        attempt: int,
        before_write: Callable[[], None],
        job: str,
        callback: str = "",
    ) -> Outcome:
        """Call Interakt; ``callback`` is the caller's ``callbackData``, kept with the result."""
        try:
            answer = client.call(operation, body, before_write=before_write)
        except PermitStale:
            return Unsent()
        except InteraktError as error:
            self.on_error(error, operation, job, attempt)
            return self.failed(error, attempt)
        is_send = OPERATIONS[operation].kind == "send"
        data = {"callbackData": callback} if callback and is_send else answer.data
        return Done(
            _one_line(answer.id),
            answer.status,
            shortened(_one_line(answer.message)[:200]),
            self.keep,
            is_send and self.receipts_live(),
            "" if data is None else json.dumps(data, separators=(",", ":")),
        )

    def failed(self, error: InteraktError, attempt: int) -> Outcome:
        """The outcome of a failed attempt; ``attempt`` counts from 1."""
        text = str(error)[:500]
        entry = log_entry(error.outcome, text, error.status)
        if error.outcome == "refused":
            if error.scope == "template":
                return TemplatePaused(_one_line(text)[:200], entry)
            if error.scope in ("account", "deployment"):
                return AccountPaused(f"{error.scope}: {_one_line(text)[:200]}", entry)
            return dead("rejected", text, error.status)
        if error.throttled:
            return Throttled(int((error.retry_after or 0) * 1000))
        delay = self.retry.delay(error, attempt, random.random())
        retry_ms = int((delay if delay is not None else self.retry.cap) * 1000)
        if error.outcome == "unavailable":
            return Retry(retry_ms, text, entry)
        return Unknown(text, entry, retry_ms)


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())
