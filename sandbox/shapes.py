"""What webhooks say: the current WhatsApp shapes (interakt-api 6) and the document's RCS ones (document 9)."""

from __future__ import annotations

import json
import uuid
from typing import Any

from sandbox import clock, phones
from sandbox.accounts import Account, person_id
from sandbox.answers import Message
from sandbox.templates import Template

Json = dict[str, Any]
FAILURES = {
    "131000": "Something went wrong",
    "131008": "Required parameter is missing",
    "131026": "Message undeliverable",
    "131047": "More than 24 hours have passed since the customer last replied to this number",
    "131048": "Spam rate limit hit",
    "131049": "This message was not delivered to maintain healthy ecosystem engagement",
    "131053": "Media upload error",
    "131056": "Too many messages sent to this recipient in a short time",
    "130429": "Rate limit hit",
    "130472": "User's number is part of an experiment",
    "132001": "Template does not exist in the translation",
    "132015": "Template is paused",
}


def status(account: Account, message: Message, state: str, code: str, sent_at: float) -> Json:
    """``message_api_<state>`` for an accepted message; ``code`` is why it failed."""
    now = clock.naive_utc(clock.now())
    inner = _message(message.id, "PublicApiMessage", state.title(), clock.naive_utc(sent_at))
    inner |= {
        "delivered_at_utc": now if state in ("delivered", "read") else None,
        "seen_at_utc": now if state == "read" else None,
        "campaign_id": message.campaign_id,
        "is_template_message": message.template is not None,
        "raw_template": json.dumps(message.template.row()) if message.template is not None else None,
        "message_content_type": message.kind,
        "message": _content(message),
        "meta_data": {
            "source": "PublicInterakt",
            "source_data": {"callback_data": message.callback_data},
            "message_cost": {
                "whatsapp_cost": "0.03",
                "interakt_markup": "0.3",
                "actual_message_cost": "0.33",
            },
        },
    }
    if state == "failed":
        inner["channel_failure_reason"] = FAILURES.get(code, "Unknown error")
        inner["channel_error_code"] = code
    if state == "clicked":
        inner["message_status"] = "Read"
        inner["meta_data"] |= _click(now)
    return _envelope(f"message_api_{state}", now, _customer(account, message.phone), inner)


def received(account: Account, phone: str, content: Json) -> Json:
    """``message_received``: the person wrote; ``content`` is as ``POST /_sandbox/inbound`` takes it."""
    now = clock.naive_utc(clock.now())
    inner = _message(str(uuid.uuid4()), "CustomerMessage", "Sent", now)
    inner["media_url"] = content.get("media_url")
    for kind, named in (("button_reply", "InteractiveButtonReply"), ("list_reply", "InteractiveListReply")):
        if kind in content:
            inner["message_content_type"] = named
            inner["message"] = json.dumps({"type": kind, kind: content[kind]})
            break
    else:
        inner["message_content_type"] = content.get("type") or ("Image" if inner["media_url"] else "Text")
        inner["message"] = content.get("text", "")
    inner["meta_data"] = {}
    customer = {
        **_customer(account, phone),
        **({"user_id": content["user_id"]} if "user_id" in content else {}),
    }
    if content.get("hides_phone"):
        customer |= {"channel_phone_number": None, "phone_number": None, "country_code": None}
    return _envelope("message_received", now, customer, inner)


def template_status(template: Template) -> Json:
    """``message_template_status_update``; its payload is not documented, so Meta's own words are used."""
    data = {
        "event": template.status,
        "message_template_id": template.wa_template_id,
        "message_template_name": template.name,
        "message_template_language": template.language,
        "reason": None,
    }
    now = clock.naive_utc(clock.now())
    return {"version": "1.0", "timestamp": now, "type": "message_template_status_update", "data": data}


def test() -> Json:
    """What the dashboard's test button sends."""
    now = clock.naive_utc(clock.now())
    return {"version": "1.0", "timestamp": now, "type": "Webhook Test", "data": {"customer": {}}}


def rcs_status(message: Message, state: str) -> Json | None:
    """The document's 9.2 for an RCS message; None for ``sent``, which RCS does not tell."""
    phone = "+" + message.phone
    base = {"messageId": message.id, "sendTime": clock.zulu(clock.now()), "eventId": str(uuid.uuid4())}
    if state in ("delivered", "read"):
        entity = {"eventType": f"MESSAGE_{state.upper()}", **base}
        return _rcs(phone, "USER_EVENT", entity)
    if state == "failed":
        entity = {"eventType": "TTL_EXPIRATION_REVOKED", "phoneNumber": phone, **base}
        return _rcs(phone, "SERVER_EVENT", entity)
    return None


def rcs_received(phone: str, content: Json) -> Json:
    """The document's 9.1."""
    entity = {
        "messageId": str(uuid.uuid4()),
        "sendTime": clock.zulu(clock.now()),
        "text": content.get("text"),
        "type": "media" if content.get("media_url") else "text",
        "mediaUrl": content.get("media_url"),
    }
    if "button_reply" in content:
        reply = content["button_reply"]
        entity["suggestionResponse"] = {
            "postBack": {"data": reply.get("id")},
            "plainText": reply.get("title"),
            "type": "REPLY",
        }
    return _rcs("+" + phone, "USER_MESSAGE", entity)


def _rcs(phone: str, kind: str, entity: Json) -> Json:
    return {"userPhoneNumber": phone, "botId": "bot_123", "entityType": kind, "entity": entity}


def _envelope(kind: str, now: str, customer: Json, message: Json) -> Json:
    return {
        "version": "1.0",
        "timestamp": now,
        "type": kind,
        "data": {"customer": customer, "message": message},
    }


def _customer(account: Account, phone: str) -> Json:
    code, national = phones.split(phone)
    known = account.customers.get(phone)
    return {
        "id": known.id if known else person_id(phone),
        "channel_phone_number": phone,
        "phone_number": national,
        "country_code": code,
        "traits": known.traits if known else {},
    }


def _message(identity: str, kind: str, state: str, at: str) -> Json:
    return {
        "id": identity,
        "chat_message_type": kind,
        "channel_failure_reason": None,
        "message_status": state,
        "received_at_utc": at,
        "delivered_at_utc": None,
        "seen_at_utc": None,
        "campaign_id": None,
        "is_template_message": False,
        "raw_template": None,
        "channel_error_code": None,
        "message_content_type": "Text",
        "media_url": None,
        "message": "",
    }


def _content(message: Message) -> str:
    if message.template is None:
        return message.text
    parameters = [{"type": "text", "text": text} for text in message.text.split("\n") if text]
    return json.dumps([{"type": "body", "parameters": parameters}])


def _click(now: str) -> Json:
    return {
        "click_type": "QR",
        "button_text": "View Details",
        "button_link": "",
        "click_timestamp": now.replace("T", " "),
        "button_payload": {"payload": {"type": "QUICK_REPLY", "text": "View Details"}},
    }
