"""RCS callbacks: the form of document 9, with the further fields of interakt-api 6."""

from __future__ import annotations

from typing import Any

from .event import Button, Event, Status
from .loose import MOST_TEXT, digits_of, mapping, text_of, time_of

STATUSES: dict[str, Status] = {
    "MESSAGE_SENT": "sent",
    "MESSAGE_DELIVERED": "delivered",
    "MESSAGE_READ": "read",
    "MESSAGE_FAILED": "failed",
    "SEND_MESSAGE_SUCCESS": "sent",
    "SEND_MESSAGE_FAILURE": "failed",
    "TTL_EXPIRATION_REVOKED": "failed",
}
REASONS = {"TTL_EXPIRATION_REVOKED": "It could not be delivered in its time, and was taken back"}


def read_rcs(body: dict[str, Any]) -> Event:
    """An RCS callback: a person's message, a receipt, or ``unknown`` (someone is typing, and what is new)."""
    entity = mapping(body.get("entity"))
    kind, name = text_of(body.get("entityType"), 100), text_of(entity.get("eventType"), 100)
    phones = body.get("userPhoneNumber"), entity.get("senderPhoneNumber"), entity.get("phoneNumber")
    shared: dict[str, Any] = {
        "type": name or kind,
        "channel": "rcs",
        "provider_id": text_of(entity.get("messageId"), 200),
        "callback_data": text_of(entity.get("callbackData")) or text_of(body.get("callbackData")),
        "phone": next(filter(None, map(digits_of, phones)), ""),
        "at_ms": time_of(entity.get("sendTime")),
    }
    if kind.upper() == "USER_MESSAGE":
        return Event("inbound", **shared, **_content(entity))
    status = STATUSES.get(name.upper())
    if status is None:
        return Event("unknown", **shared)
    if status == "failed":
        error = mapping(entity.get("error"))
        words = text_of(error.get("message"), 1024) or text_of(error.get("description"), 1024)
        shared["code"] = text_of(error.get("code"), 40) or name.upper()
        shared["reason"] = words or REASONS.get(name.upper(), "")
    return Event("receipt", status=status, **shared)


def _content(entity: dict[str, Any]) -> dict[str, Any]:
    tapped, place, file = (mapping(entity.get(one)) for one in ("suggestionResponse", "location", "userFile"))
    label = text_of(tapped.get("plainText"), 1024)
    answer = text_of(mapping(tapped.get("postBack")).get("data"), 2048)
    if label or answer:
        return {"content": "button_reply", "button": Button(text=label, id=answer)}
    text = text_of(entity.get("text"), MOST_TEXT)
    links = entity.get("mediaUrl"), mapping(file.get("payload")).get("fileUri"), file.get("fileUri")
    if media := next(filter(None, (text_of(link, 2048) for link in links)), ""):
        return {"content": "media", "media_url": media, "text": text}
    latitude, longitude = text_of(place.get("latitude"), 24), text_of(place.get("longitude"), 24)
    if latitude and longitude:
        return {"content": "location", "text": f"{latitude},{longitude}"}
    return {"content": "text", "text": text}
