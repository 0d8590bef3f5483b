"""Webhooks read into one ``Event``: the current WhatsApp shapes (interakt-api 6) and the RCS ones of document 9.

Nothing that comes in raises: what cannot be understood is an event of the kind ``unknown``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from .event import Event, Kind, Status
from .loose import digits_of, mapping, text_of, time_of, unwrapped
from .webhook_rcs import read_rcs
from .webhook_whatsapp import read_inbound, read_receipt

STATUSES: dict[str, Status] = {
    f"message_{source}_{status}": status
    for source in ("api", "campaign")
    for status in ("sent", "delivered", "read", "failed", "clicked")
}
NOTICES: dict[str, Kind] = {
    "message_template_status_update": "template_update",
    "message_template_quality_update": "template_update",
    "template_performance_metrics": "template_update",
    "template_category_update": "template_update",
    "account_alerts": "account",
    "account_update": "account",
    "account_review_update": "account",
    "business_capability_update": "account",
    "phone_number_quality_update": "quality",
    "phone_number_name_update": "account",
    "workflow_response_update": "workflow",
    "message_campaign_flow_response": "workflow",
    "webhook test": "test",
}
# Of templates, the account and the number's quality: Meta's words, wherever they are put (interakt-api 11).
MOST_NODES = 200
STATES = (
    "event",
    "new_quality_score",
    "approval_status",
    "status",
    "decision",
    "alert_type",
    "current_limit",
)
REASONS = (
    "reason",
    "rejection_reason",
    "rejected_reason",
    "alert_description",
    "alert_message",
    "description",
)
TEMPLATES = ("message_template_name", "template_name", "name")
LANGUAGES = ("message_template_language", "template_language", "language")


def read(body: object) -> Event:
    """The event in a webhook's body; ``body`` is bytes, text or already parsed JSON. Never raises."""
    found = mapping(body)
    if "entityType" in found:
        return read_rcs(found)
    event_type = text_of(found.get("type"), 100)
    name = event_type.lower()
    if name in STATUSES:
        return read_receipt(found, event_type, STATUSES[name])
    if name == "message_received":
        return read_inbound(found, event_type)
    if name in NOTICES:
        return _notice(found, event_type, NOTICES[name])
    return Event("unknown", event_type)


def _notice(body: dict[str, Any], event_type: str, kind: Kind) -> Event:
    """A template, account, quality, workflow or test event."""
    objects = list(_objects(body.get("data")))
    about_template = kind == "template_update"
    return Event(
        kind,
        event_type,
        at_ms=time_of(body.get("timestamp")),
        phone=digits_of(mapping(body, "data").get("customer_number")) if kind == "workflow" else "",
        template=_first(objects, TEMPLATES, 512) if about_template else "",
        language=_first(objects, LANGUAGES, 40) if about_template else "",
        state=_first(objects, STATES, 100).upper(),
        reason=_first(objects, REASONS, 1024),
    )


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """The objects in a value, the outer ones first, and not more than a few hundred."""
    waiting = deque([value])
    for _ in range(MOST_NODES):
        if not waiting:
            return
        found = unwrapped(waiting.popleft())
        if isinstance(found, dict):
            yield found
            waiting.extend(found.values())
        elif isinstance(found, list):
            waiting.extend(found[:20])


def _first(objects: list[dict[str, Any]], names: tuple[str, ...], most: int) -> str:
    for name in names:
        for found in objects:
            if text := text_of(found.get(name), most):
                return text
    return ""
