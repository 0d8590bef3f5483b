"""The current WhatsApp webhooks: receipts, taps and inbound messages (interakt-api 6)."""

from __future__ import annotations

import re
from typing import Any

from .event import Button, Event, Status
from .loose import MOST_TEXT, digits_of, mapping, text_of, time_of

REPLIES = {"interactivebuttonreply": "button_reply", "interactivelistreply": "list_reply"}
TIMES = {"sent": "received_at_utc", "delivered": "delivered_at_utc", "read": "seen_at_utc"}
USER_ID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")


def read_receipt(body: dict[str, Any], event_type: str, status: Status) -> Event:
    """``message_api_*`` and ``message_campaign_*``."""
    message = mapping(body, "data", "message")
    clicked, failed = status == "clicked", status == "failed"
    taps = [
        mapping(message.get("meta_data")),
        mapping(body, "data", "event"),
        mapping(body.get("event")),
        message,
    ]
    if clicked:
        at_ms = next(filter(None, (time_of(tap.get("click_timestamp")) for tap in taps)), None)
    else:
        at_ms = time_of(message.get(TIMES.get(status, "")))
    return Event(
        "click" if clicked else "receipt",
        event_type,
        status=status,
        provider_id=text_of(message.get("id"), 200),
        callback_data=_callback(message) or _tapped(taps, "callbackData", 512),
        campaign_id=text_of(message.get("campaign_id"), 200),
        phone=_phone(body),
        user_id=_user_id(body),
        at_ms=at_ms or time_of(body.get("timestamp")),
        code=text_of(message.get("channel_error_code"), 40) if failed else "",
        reason=text_of(message.get("channel_failure_reason"), 1024) if failed else "",
        button=Button(text=_tapped(taps, "button_text", 1024), link=_tapped(taps, "button_link", 2048))
        if clicked
        else None,
    )


def read_inbound(body: dict[str, Any], event_type: str) -> Event:
    """``message_received``: a person wrote, sent a file or tapped a reply."""
    message = mapping(body, "data", "message")
    given, said = text_of(message.get("message_content_type"), 40).lower(), message.get("message")
    content = REPLIES.get(given, given or "text")
    button = _button(content, said)
    return Event(
        "inbound",
        event_type,
        provider_id=text_of(message.get("id"), 200),
        callback_data=_callback(message),
        phone=_phone(body),
        user_id=_user_id(body),
        at_ms=time_of(message.get("received_at_utc")) or time_of(body.get("timestamp")),
        content=content,
        text="" if button else _text(said),
        media_url=text_of(message.get("media_url"), 2048),
        button=button,
        reply_to=text_of(message.get("source_message_id"), 200),
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
    inner = mapping(said, content) or mapping(said)
    return Button(
        text=text_of(inner.get("title"), 1024) or ("" if inner else _text(said)),
        id=text_of(inner.get("id"), 256),
        description=text_of(inner.get("description"), 1024),
    )


def _text(said: Any) -> str:
    if isinstance(said, dict):
        said = said.get("text") or said.get("body") or said.get("caption")
    return text_of(said, MOST_TEXT)


def _callback(message: dict[str, Any]) -> str:
    return text_of(mapping(message, "meta_data", "source_data").get("callback_data"))


def _tapped(taps: list[dict[str, Any]], name: str, most: int) -> str:
    """A tap has been seen in four places; the first that says something."""
    return next(filter(None, (text_of(tap.get(name), most) for tap in taps)), "")


def _phone(body: dict[str, Any]) -> str:
    customer = mapping(body, "data", "customer")
    return digits_of(customer.get("channel_phone_number")) or digits_of(
        text_of(customer.get("country_code"), 8) + text_of(customer.get("phone_number"), 40)
    )


def _user_id(body: dict[str, Any]) -> str:
    """WhatsApp's id of the person (``IN.13491208655302741918``); in which field, Interakt does not say yet."""
    found = [
        value
        for part in ((), ("customer",), ("message",))
        for name, value in list(mapping(body, "data", *part).items())[:100]
        if str(name).endswith(("id", "phone_number"))
        and isinstance(value, str)
        and USER_ID.fullmatch(value[:140])
    ]
    return min(found, key=lambda one: ".ENT." in one, default="")
