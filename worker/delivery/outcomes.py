"""How an attempt ended: each outcome's name and fields, in the order in which settling.lua takes them."""

from __future__ import annotations

import json
import time
from dataclasses import astuple, dataclass
from typing import ClassVar

from interakt_jobs.ledger.redis_client import Argument


@dataclass(frozen=True, slots=True)
class Outcome:
    """One of the classes below; times are milliseconds, ``attempt`` is the JSON that the job's log keeps of the attempt."""

    name: ClassVar[str]

    def to_lua(self) -> list[Argument]:
        return [self.name, *(int(value) if isinstance(value, bool) else value for value in astuple(self))]


@dataclass(frozen=True, slots=True)
class Done(Outcome):
    """Interakt accepted it. ``keep_record`` keeps the record with the result, while a receipt may come."""

    name = "done"
    provider_id: str
    status: int | str
    message: str
    keep_seconds: int
    keep_record: bool = False
    data: str = ""


@dataclass(frozen=True, slots=True)
class Dead(Outcome):
    """It can never be accepted; without a ``status`` no call was made."""

    name = "dead"
    reason: str
    error: str
    status: int | str
    attempt: str


@dataclass(frozen=True, slots=True)
class Retry(Outcome):
    """It was not accepted, and is tried again after ``delay_ms``."""

    name = "retry"
    delay_ms: int
    error: str
    attempt: str


@dataclass(frozen=True, slots=True)
class Unknown(Outcome):
    """It may have been accepted."""

    name = "unknown"
    error: str
    attempt: str
    retry_ms: int


@dataclass(frozen=True, slots=True)
class Throttled(Outcome):
    """The account is over Interakt's limit; no attempt is counted."""

    name = "throttled"
    retry_after_ms: int


@dataclass(frozen=True, slots=True)
class TemplatePaused(Outcome):
    """Nothing of this template is accepted; the job waits until it is again, and no attempt is counted."""

    name = "template"
    why: str
    attempt: str


@dataclass(frozen=True, slots=True)
class AccountPaused(Outcome):
    """Nothing of this account is accepted; the job goes back, and no attempt is counted."""

    name = "account"
    why: str
    attempt: str


@dataclass(frozen=True, slots=True)
class Unsent(Outcome):
    """No byte of a request has left; the job goes back."""

    name = "unsent"


def dead(reason: str, error: str, status: int | None = None) -> Dead:
    """A job that is refused for good, with its entry for the log."""
    return Dead(reason, error[:2000], status or "", log_entry("refused", error, status))


def log_entry(outcome: str, error: str, status: int | None = None) -> str:
    """One attempt as the JSON that the job's log keeps."""
    return json.dumps(
        {"at": int(time.time() * 1000), "outcome": outcome, "error": error[:500], "status": status}
    )
