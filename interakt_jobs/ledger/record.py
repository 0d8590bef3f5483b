"""What the ledger says of a job: reading its record, its short terminal form and its dead letter."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from interakt_jobs.recipient import recipient_hash

_UNSAFE = re.compile(r"[|\x00-\x1f\x7f]")  # what accept.lua refuses
VERSION = "2"
ENDED = frozenset({"done", "dead", "cancelled"})
# What Interakt says of nearly every message: kept as two bytes, it would be a third of an ended job.
USUAL = {"~q": "Message queued for sending via Interakt. Check webhook for delivery status"}
_SHORT = {text: mark for mark, text in USUAL.items()}


@dataclass(frozen=True, slots=True)
class Reading:
    """One job as it is now.

    ``state`` is ready, waiting, waiting_for_template, released, running, unknown, done, dead or cancelled; times are
    milliseconds since the epoch; ``payload`` is None once an ended job's record is gone. ``was`` is the end (dead or
    cancelled) that ``done`` corrects; ``round`` counts replays.
    """

    job_key: str
    state: str
    operation: str
    lane: str
    accepted: int = 0
    expires: int = 0
    repeat: str = ""
    max_attempts: int = 0
    due: int = 0
    attempts: int = 0
    group: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    payload: Any = None
    log: list[dict[str, Any]] = field(default_factory=list)
    ended: int = 0
    ambiguous: bool = False
    status: int | None = None
    provider_id: str = ""
    delivery: str = ""
    message: str = ""
    reason: str = ""
    error: str = ""
    data: Any = None
    was: str = ""
    round: int = 0


class Record(NamedTuple):
    """A job's record: the fields of its header (docs/protocol.md), its options and its payload as JSON texts."""

    version: str
    operation: str
    flags: str
    lane: str
    accepted: int
    expires: int
    repeat: str
    max_attempts: int
    recipient: str
    group: str
    due: int
    key_id: str
    traceparent: str
    options: str
    payload: str

    @classmethod
    def parse(cls, raw: str) -> Record:
        """The record of its text; raises ``ValueError`` for another version and for what is no record."""
        head, options, payload = raw.split("\n", 2)
        fields: list[Any] = head.split("|")
        if fields[0] != VERSION:
            raise ValueError(f"a record of version {fields[0][:5]!r}")
        if len(fields) != len(cls._fields) - 2:
            raise ValueError(f"a record's header of {len(fields)} fields")
        for at in (4, 5, 7, 10):  # accepted, expires, max_attempts, due
            fields[at] = int(fields[at])
        return cls._make([*fields, options, payload])


def read(job_key: str, answer: list[Any]) -> Reading | None:
    """Make a ``Reading`` of what ``read.lua`` answered."""
    if not answer:
        return None
    state, place, raw, detail, tries = (_text(part) for part in answer[:5])
    log, maybe, data = [_text(entry) for entry in answer[5]], _text(answer[6]), _text(answer[7])
    attempts = int(tries.partition(":")[0])
    common: dict[str, Any] = {
        "log": [json.loads(entry) for entry in log],
        "data": json.loads(data) if data else None,
        "round": int(answer[8]),
    }
    if raw.startswith("="):
        return _ended(job_key, raw, common)
    record = Record.parse(raw)
    dead: dict[str, Any] = json.loads(detail) if detail else {}
    due = int(float(place)) if state in ("ready", "waiting", "unknown") and place else record.due
    return Reading(
        job_key=job_key,
        state=state,
        operation=record.operation,
        lane=record.lane,
        accepted=record.accepted,
        expires=record.expires,
        repeat=record.repeat,
        max_attempts=record.max_attempts,
        group=record.group,
        due=due,
        attempts=attempts,
        options=json.loads(record.options) if record.options else {},
        payload=json.loads(record.payload),
        ended=int(dead.get("at", 0)),
        ambiguous=maybe == "2",
        reason=dead.get("reason", ""),
        error=dead.get("error") or "",
        status=dead.get("status"),
        **common,
    )


def _ended(job_key: str, raw: str, common: dict[str, Any]) -> Reading:
    short, _, record = raw.partition("\n")
    state, operation, lane, ended, attempts, marks, status, provider, delivery, message = short[1:].split(
        "|", 9
    )
    return Reading(
        job_key=job_key,
        state=state,
        operation=operation,
        lane=lane,
        ended=int(ended),
        attempts=int(attempts),
        ambiguous=int(marks) & 1 == 1,
        was="dead" if int(marks) & 2 else "cancelled" if int(marks) & 4 else "",
        status=int(status) if status else None,
        provider_id=provider,
        delivery=delivery,
        message=USUAL.get(message, message),
        payload=json.loads(Record.parse(record).payload) if record else None,
        **common,
    )


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def shortened(message: str) -> str:
    """An answer's message as the ledger keeps it."""
    return _SHORT.get(message, message)


def phone_of(payload: dict[str, Any]) -> str:
    """The digits of the payload's recipient with country code, or an empty string when it has none."""
    full = payload.get("fullPhoneNumber")
    if not isinstance(full, str):
        number = payload.get("phoneNumber")
        if not isinstance(number, str):
            return ""
        full = f"{payload.get('countryCode', '+91')}{number}"
    digits = full.removeprefix("+")
    return digits if digits.isascii() and digits.isdigit() else re.sub(r"\D", "", full)


def recipient_of(payload: dict[str, Any]) -> str:
    """The hash of the payload's recipient, or an empty string when it has none."""
    digits = phone_of(payload)
    return recipient_hash(digits) if digits else ""


def group_of(payload: dict[str, Any]) -> str:
    """``name:language`` of the template a payload uses: such jobs are paused together."""
    template = payload.get("template")
    if not isinstance(template, dict):
        return ""
    group = f"{template.get('name', '')}:{template.get('languageCode', '')}"
    return _UNSAFE.sub("_", group)[:200]


def digest(operation: str, payload_text: str) -> str:
    """The digest by which two payloads under one idempotency key are compared."""
    return hashlib.blake2b(f"{operation}\n{payload_text}".encode(), digest_size=12).hexdigest()
