"""What the ledger says of a job: reading its record, its short terminal form and its dead letter."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any

from interakt_jobs.recipient import recipient_hash

_UNSAFE = re.compile(r"[|\x00-\x1f\x7f]")  # what accept.lua refuses
ENDED = frozenset({"done", "dead", "cancelled"})
# What Interakt says of nearly every message: kept as two bytes, it would be a third of an ended job.
USUAL = {"~q": "Message queued for sending via Interakt. Check webhook for delivery status"}
_SHORT = {text: mark for mark, text in USUAL.items()}


@dataclass(frozen=True, slots=True)
class Reading:
    """One job as it is now.

    ``state`` is ready, waiting, parked, released, running, unknown, done, dead or cancelled; times are
    milliseconds since the epoch; ``payload`` is None once an ended job's record is gone. ``was`` is the end (dead or
    cancelled) that ``done`` corrects; ``round`` counts replays.
    """

    tail: str
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


def split(raw: str) -> tuple[list[str], dict[str, Any], str]:
    """A record's header fields, its options and the payload's JSON text."""
    head, options, payload = raw.split("\n", 2)
    return head.split("|"), json.loads(options) if options else {}, payload


def read(tail: str, answer: list[Any]) -> Reading | None:
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
        return _ended(tail, raw, common)
    head, options, payload = split(raw)
    dead: dict[str, Any] = json.loads(detail) if detail else {}
    due = int(float(place)) if state in ("ready", "waiting", "unknown") and place else int(head[9])
    return Reading(
        tail=tail,
        state=state,
        operation=head[1],
        lane=head[2],
        accepted=int(head[3]),
        expires=int(head[4]),
        repeat=head[5],
        max_attempts=int(head[6]),
        group=head[8],
        due=due,
        attempts=attempts,
        options=options,
        payload=json.loads(payload),
        ended=int(dead.get("at", 0)),
        ambiguous=maybe == "2",
        reason=dead.get("reason", ""),
        error=dead.get("error") or "",
        status=dead.get("status"),
        **common,
    )


def _ended(tail: str, raw: str, common: dict[str, Any]) -> Reading:
    short, _, record = raw.partition("\n")
    state, operation, lane, ended, attempts, marks, status, provider, delivery, message = short[1:].split(
        "|", 9
    )
    return Reading(
        tail=tail,
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
        payload=json.loads(split(record)[2]) if record else None,
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
    """What tells two payloads under one idempotency key apart."""
    return hashlib.blake2b(f"{operation}\n{payload_text}".encode(), digest_size=12).hexdigest()
