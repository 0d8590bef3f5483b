"""What follows from a reading of the ledger: Celery's state, the result or the exception, the latest event."""

from __future__ import annotations

from typing import Any

from .errors import JobCancelled, JobDead
from .event import JobEvent, latest
from .ledger.record import ENDED, Reading

STATES = {
    "ready": "PENDING",
    "waiting": "PENDING",
    "waiting_for_template": "PENDING",
    "released": "PENDING",
    "running": "STARTED",
    "unknown": "RETRY",
    "done": "SUCCESS",
    "dead": "FAILURE",
    "cancelled": "REVOKED",
}


def celery_state(reading: Reading) -> str:
    """The nearest Celery state."""
    state = STATES[reading.state]
    return "RETRY" if state == "PENDING" and reading.attempts else state


def outcome(id: str, reading: Reading) -> Any:
    """What an ended job gives: a dict of Interakt's answer, or the exception to raise.

    The dict has ``id``, ``message`` and ``status``; ``callbackData`` as the caller gave it, if any; ``data`` when the
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
    """The latest event of a job; None before its end."""
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
