"""RCS callbacks: the form of document 9, with the further fields of interakt-api 6."""

from __future__ import annotations

from typing import Any

from .event import Button, Event, Status
from .loose import MOST_TEXT, LooseObject, LooseShape, LooseText, LooseTime, digits_of

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


class PostBack(LooseShape):
    data = LooseText(2048)


class Suggestion(LooseShape):
    plainText = LooseText(1024)
    postBack = LooseObject(PostBack)


class FilePayload(LooseShape):
    fileUri = LooseText(2048)


class UserFile(LooseShape):
    fileUri = LooseText(2048)
    payload = LooseObject(FilePayload)


class Location(LooseShape):
    latitude = LooseText(24)
    longitude = LooseText(24)


class Error(LooseShape):
    code = LooseText(40)
    message = LooseText(1024)
    description = LooseText(1024)


class Entity(LooseShape):
    eventType = LooseText(100)
    messageId = LooseText(200)
    sendTime = LooseTime()
    text = LooseText(MOST_TEXT)
    type = LooseText(40)
    mediaUrl = LooseText(2048)
    callbackData = LooseText()
    senderPhoneNumber = LooseText(40)
    phoneNumber = LooseText(40)
    suggestionResponse = LooseObject(Suggestion)
    userFile = LooseObject(UserFile)
    location = LooseObject(Location)
    error = LooseObject(Error)


class Rcs(LooseShape):
    userPhoneNumber = LooseText(40)
    entityType = LooseText(100)
    callbackData = LooseText()
    entity = LooseObject(Entity)


_SHAPE = Rcs()


def read_rcs(body: dict[str, Any]) -> Event:
    """An RCS callback: a person's message, a receipt, or ``unknown`` (someone is typing, and what is new)."""
    found = _SHAPE.load(body)
    entity, kind = found["entity"], found["entityType"].upper()
    phone = next(
        filter(
            None,
            map(digits_of, (found["userPhoneNumber"], entity["senderPhoneNumber"], entity["phoneNumber"])),
        ),
        "",
    )
    shared: dict[str, Any] = {
        "type": entity["eventType"] or found["entityType"],
        "channel": "rcs",
        "provider_id": entity["messageId"],
        "callback_data": entity["callbackData"] or found["callbackData"],
        "phone": phone,
        "at_ms": entity["sendTime"],
    }
    if kind == "USER_MESSAGE":
        return Event("inbound", **shared, **_content(entity))
    event = entity["eventType"].upper()
    status = STATUSES.get(event)
    if status is None:
        return Event("unknown", **shared)
    error = entity["error"]
    if status == "failed":
        shared["code"] = error["code"] or event
        shared["reason"] = error["message"] or error["description"] or REASONS.get(event, "")
    moment = {f"{status}_ms": entity["sendTime"]} if status != "failed" else {}
    return Event("receipt", status=status, **shared, **moment)


def _content(entity: dict[str, Any]) -> dict[str, Any]:
    tapped, place = entity["suggestionResponse"], entity["location"]
    if tapped["plainText"] or tapped["postBack"]["data"]:
        return {
            "content": "button_reply",
            "button": Button(text=tapped["plainText"], id=tapped["postBack"]["data"]),
        }
    media = entity["mediaUrl"] or entity["userFile"]["payload"]["fileUri"] or entity["userFile"]["fileUri"]
    if media:
        return {"content": "media", "media_url": media, "text": entity["text"]}
    if place["latitude"] and place["longitude"]:
        return {"content": "location", "text": f"{place['latitude']},{place['longitude']}"}
    return {"content": "text", "text": entity["text"]}
