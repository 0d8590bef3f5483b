"""Webhooks read into one ``Event``: the current WhatsApp shapes (interakt-api 6) and the RCS ones of document 9.

Nothing that comes in raises: what cannot be understood is an event of the kind ``unknown``.
"""

from __future__ import annotations

from .event import Button, Event, Kind, Status
from .loose import mapping, text_of
from .webhook_notice import read_notice
from .webhook_rcs import read_rcs
from .webhook_whatsapp import read_inbound, read_receipt

__all__ = ["Button", "Event", "read"]

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


def read(body: object) -> Event:
    """The event that a webhook's body tells; ``body`` is bytes, text or already parsed JSON. Never raises."""
    found = mapping(body)
    if "entityType" in found:
        return read_rcs(found)
    told = text_of(found.get("type"), 100)
    name = told.lower()
    if name in STATUSES:
        return read_receipt(found, told, STATUSES[name])
    if name == "message_received":
        return read_inbound(found, told)
    if name in NOTICES:
        return read_notice(found, told, NOTICES[name])
    return Event("unknown", told)
