"""One attempt: the call, and its outcome in the words that settling.lua understands (docs/reliability.md has the table)."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from interakt_jobs import OPERATIONS
from interakt_jobs.ledger.record import shortened
from worker.interakt.client import Client
from worker.interakt.errors import InteraktError

from .retry import RetryPolicy


class PermitStale(Exception):
    """Raised right before the request's bytes would leave when the permit has grown too old to be inside the limit."""


class Attempt:
    """Makes attempts and words their outcomes.

    ``keep_seconds`` is how long a result is kept.
    ``on_error(error, operation, job, attempt)`` hears of what is worth an operator's eye.
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
        body: bytes,
        attempt: int,
        before_write: Callable[[], None],
        job: str,
        callback: str = "",
    ) -> Sequence[Any]:
        """Call Interakt and return the outcome: a word of settling.lua and its arguments.

        ``callback`` is the caller's ``callbackData``, kept with the result.
        """
        try:
            answer = client.call(operation, body, before_write=before_write)
        except PermitStale:
            return ("unsent",)
        except InteraktError as error:
            self.on_error(error, operation, job, attempt)
            return self.failed(error, attempt)
        kind = OPERATIONS[operation].kind
        data = json.dumps(answer.data, separators=(",", ":")) if answer.data is not None else ""
        if callback and kind == "send":
            data = json.dumps({"callbackData": callback}, separators=(",", ":"))
        keep_record = "1" if kind == "send" and self.receipts_live() else "0"
        return (
            "done",
            _word(answer.id),
            answer.status,
            shortened(_word(answer.message)[:200]),
            self.keep,
            keep_record,
            data,
        )

    def dead(self, reason: str, error: str, status: int | None) -> Sequence[Any]:
        """A job that is refused for good."""
        return ("dead", reason, error[:2000], status or "", _entry("refused", error, status))

    def failed(self, error: InteraktError, attempt: int) -> Sequence[Any]:
        """How a failed attempt is settled; ``attempt`` counts from 1."""
        text = str(error)[:500]
        entry = _entry(error.outcome, text, error.status)
        if error.outcome == "refused":
            if error.scope == "template":
                return ("template", _word(text)[:200], entry)
            if error.scope in ("account", "deployment"):
                return ("account", f"{error.scope}: {_word(text)[:200]}", entry)
            return self.dead("rejected", text, error.status)
        if error.throttled:
            return ("throttled", int((error.retry_after or 0) * 1000))
        delay = self.retry.delay(error, attempt, random.random())
        retry_ms = int((delay if delay is not None else self.retry.cap) * 1000)
        if error.outcome == "unavailable":
            return ("retry", retry_ms, text, entry)
        return ("unknown", text, entry, retry_ms)


def _word(text: str | None) -> str:
    return " ".join((text or "").split())


def _entry(outcome: str, error: str, status: int | None) -> str:
    return json.dumps(
        {"at": int(time.time() * 1000), "outcome": outcome, "error": error[:500], "status": status}
    )
