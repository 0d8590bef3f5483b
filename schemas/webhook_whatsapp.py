"""The current WhatsApp webhooks: receipts, taps and inbound messages (interakt-api 6)."""

from __future__ import annotations

import re
from typing import Any

from .event import Button, Event, Status
from .loose import (
    MOST_TEXT,
    AsGiven,
    LooseObject,
    LooseShape,
    LooseText,
    LooseTime,
    digits_of,
    mapping,
    text_of,
)

REPLIES = {"interactivebuttonreply": "button_reply", "interactivelistreply": "list_reply"}


class Customer(LooseShape):
    channel_phone_number = LooseText(40)
    phone_number = LooseText(40)
    country_code = LooseText(8)


USER_ID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")


class SourceData(LooseShape):
    callback_data = LooseText()


class Click(LooseShape):
    """A tap on a button, wherever it is told."""

    callbackData = LooseText()
    click_type = LooseText(20)
    button_text = LooseText(1024)
    button_link = LooseText(2048)
    click_timestamp = LooseTime()


class MetaData(Click):
    source_data = LooseObject(SourceData)


class Message(Click):
    id = LooseText(200)
    channel_failure_reason = LooseText(1024)
    channel_error_code = LooseText(40)
    received_at_utc = LooseTime()
    delivered_at_utc = LooseTime()
    seen_at_utc = LooseTime()
    campaign_id = LooseText(200)
    message_content_type = LooseText(40)
    media_url = LooseText(2048)
    message = AsGiven()
    meta_data = LooseObject(MetaData)
    source_message_id = LooseText(200)


class Data(LooseShape):
    customer = LooseObject(Customer)
    message = LooseObject(Message)
    event = LooseObject(Click)


class WhatsApp(LooseShape):
    type = LooseText(100)
    timestamp = LooseTime()
    data = LooseObject(Data)
    event = LooseObject(Click)


_SHAPE = WhatsApp()


def read_receipt(body: dict[str, Any], told: str, status: Status) -> Event:
    """``message_api_*`` and ``message_campaign_*``."""
    found = _SHAPE.load(body)
    data = found["data"]
    message, clicks = data["message"], _clicks(found)
    moment = {
        "sent": message["received_at_utc"],
        "delivered": message["delivered_at_utc"],
        "read": message["seen_at_utc"],
        "clicked": _first(clicks, "click_timestamp"),
    }.get(status)
    text, link = _first(clicks, "button_text"), _first(clicks, "button_link")
    clicked, failed = status == "clicked", status == "failed"
    return Event(
        "click" if clicked else "receipt",
        told,
        status=status,
        provider_id=message["id"],
        callback_data=message["meta_data"]["source_data"]["callback_data"]
        or _first(clicks, "callbackData")
        or "",
        campaign_id=message["campaign_id"],
        phone=_phone(data["customer"]),
        user_id=_user_id(body),
        at_ms=moment or found["timestamp"],
        sent_ms=message["received_at_utc"],
        delivered_ms=message["delivered_at_utc"],
        read_ms=message["seen_at_utc"],
        code=message["channel_error_code"] if failed else "",
        reason=message["channel_failure_reason"] if failed else "",
        button=Button(text=text or "", link=link or "") if clicked else None,
    )


def read_inbound(body: dict[str, Any], told: str) -> Event:
    """``message_received``: a person wrote, sent a file or tapped a reply."""
    found = _SHAPE.load(body)
    data = found["data"]
    message = data["message"]
    given, said = message["message_content_type"].lower(), message["message"]
    content = REPLIES.get(given, given or "text")
    button = _button(content, said)
    return Event(
        "inbound",
        told,
        provider_id=message["id"],
        callback_data=message["meta_data"]["source_data"]["callback_data"],
        phone=_phone(data["customer"]),
        user_id=_user_id(body),
        at_ms=message["received_at_utc"] or found["timestamp"],
        content=content,
        text="" if button else _text(said),
        media_url=message["media_url"],
        button=button,
        reply_to=message["source_message_id"],
    )


def _button(content: str, said: Any) -> Button | None:
    """What was tapped. Only the content type tells that: a person may write JSON too."""
    if content == "button":
        inner = mapping(said)
        return Button(
            text=text_of(inner.get("text"), 1024) or _text(said), id=text_of(inner.get("payload"), 256)
        )
    if content not in ("button_reply", "list_reply"):
        return None
    outer = mapping(said)
    inner = mapping(outer.get(content)) or outer
    return Button(
        text=text_of(inner.get("title"), 1024) or ("" if inner else _text(said)),
        id=text_of(inner.get("id"), 256),
        description=text_of(inner.get("description"), 1024),
    )


def _text(said: Any) -> str:
    if isinstance(said, dict):
        said = said.get("text") or said.get("body") or said.get("caption")
    return text_of(said, MOST_TEXT)


def _clicks(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The four places where a tap has been seen."""
    data = found["data"]
    return [data["message"]["meta_data"], data["event"], found["event"], data["message"]]


def _first(clicks: list[dict[str, Any]], name: str) -> Any:
    return next((click[name] for click in clicks if click[name]), None)


def _phone(customer: dict[str, Any]) -> str:
    whole = digits_of(customer["channel_phone_number"])
    return whole or digits_of(customer["country_code"] + customer["phone_number"])


def _user_id(body: dict[str, Any]) -> str:
    """WhatsApp's id of the person (``IN.13491208655302741918``); in which field, Interakt does not say yet."""
    data = mapping(body.get("data"))
    found = [
        value
        for part in (data, mapping(data.get("customer")), mapping(data.get("message")))
        for name, value in list(part.items())[:100]
        if str(name).endswith(("id", "phone_number"))
        and isinstance(value, str)
        and USER_ID.fullmatch(value[:140])
    ]
    return min(found, key=lambda one: ".ENT." in one, default="")
