"""Webhooks are read whatever their shape, and nothing that comes in raises."""

from __future__ import annotations

import copy
import json
import random
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examples.document import webhooks
from interakt_jobs.event import RANKS
from sandbox import shapes
from sandbox.accounts import Account
from sandbox.answers import Message
from sandbox.settings import Settings
from schemas.event import Button, Event
from schemas.webhook import NOTICES, STATUSES, read

PHONE = "919999999999"
OUR_ID = "ij1.default.0193d1a2b3c47d5e8f90a1b2c3d4e5f6"


def status(kind: str, **changes: Any) -> dict[str, Any]:
    """The official sample of a status webhook, shortened."""
    message = {
        "id": "5a3bd0f4-0000-4000-8000-000000000000",
        "chat_message_type": "PublicApiMessage",
        "channel_failure_reason": None,
        "message_status": kind.title(),
        "received_at_utc": "2022-06-03T05:43:33.133000",
        "delivered_at_utc": "2022-06-03T05:43:33.848000" if kind in ("delivered", "read") else None,
        "seen_at_utc": "2022-06-03T05:43:34.5" if kind == "read" else None,
        "campaign_id": None,
        "is_template_message": True,
        "raw_template": json.dumps({"name": "welcome_message", "body_text": json.dumps(["a"])}),
        "channel_error_code": None,
        "message_content_type": "Template",
        "media_url": None,
        "message": '[{"type":"body","parameters":[{"type":"text","text":"A"}]}]',
        "meta_data": {"source": "PublicInterakt", "source_data": {"callback_data": OUR_ID}},
    }
    customer = {"id": "c", "channel_phone_number": PHONE, "phone_number": "9999999999", "country_code": "+91"}
    return {
        "version": "1.0",
        "timestamp": "2022-06-03T05:43:33.237499",
        "type": f"message_api_{kind}",
        "data": {"customer": customer, "message": {**message, **changes}},
    }


def received(content_type: str, message: Any, **changes: Any) -> dict[str, Any]:
    body = status(
        "sent", message_content_type=content_type, message=message, chat_message_type="CustomerMessage"
    )
    body["type"] = "message_received"
    body["data"]["message"].update(meta_data={}, **changes)
    return body


def test_a_delivered_receipt_is_read_with_our_id_and_its_times() -> None:
    event = read(status("delivered"))
    assert event == Event(
        "receipt",
        "message_api_delivered",
        status="delivered",
        provider_id="5a3bd0f4-0000-4000-8000-000000000000",
        callback_data=OUR_ID,
        phone=PHONE,
        at_ms=1654235013848,
    )


@pytest.mark.parametrize("source", ["api", "campaign"])
@pytest.mark.parametrize(("kind", "rank"), [("sent", 1), ("failed", 2), ("delivered", 3), ("read", 4)])
def test_receipts_are_ranked_so_that_a_failure_can_be_overruled(source: str, kind: str, rank: int) -> None:
    body = status(kind)
    body["type"] = f"message_{source}_{kind}"
    event = read(body)
    assert (event.kind, event.status, RANKS[event.status]) == ("receipt", kind, rank)


@pytest.mark.parametrize("code", ["131026", 131026])
def test_a_failure_has_its_code_and_reason(code: Any) -> None:
    event = read(status("failed", channel_error_code=code, channel_failure_reason="Message undeliverable"))
    assert (event.status, event.code, event.reason) == ("failed", "131026", "Message undeliverable")


def test_old_samples_without_the_two_parts_of_the_number_are_read() -> None:
    body = status("sent")
    body["data"]["customer"] = {"channel_phone_number": "+91 99999 99999"}
    assert read(body).phone == PHONE
    body["data"]["customer"] = {"phone_number": "9999999999", "country_code": "+91"}
    assert read(body).phone == PHONE
    body["data"]["customer"] = None
    assert read(body).phone == ""


CLICK = {
    "click_type": "QR",
    "button_text": "Yes",
    "button_link": "",
    "click_timestamp": "2022-06-03 05:43:33.237499",
    "button_payload": {"payload": {"type": "QUICK_REPLY", "text": "Yes"}},
}


@pytest.mark.parametrize("place", ["meta_data", "data.event", "event", "message"])
def test_a_click_is_found_in_every_place_it_was_seen(place: str) -> None:
    body = status("clicked", meta_data={"source_data": {}})
    link = {**CLICK, "click_type": "CTA", "button_link": "https://example.com/x", "callbackData": OUR_ID}
    if place == "meta_data":
        body["data"]["message"]["meta_data"] |= link
    elif place == "data.event":
        body["data"]["event"] = link
    elif place == "event":
        body["event"] = link
    else:
        body["data"]["message"] |= link
    event = read(body)
    assert (event.kind, event.status, RANKS[event.status]) == ("click", "clicked", 5)
    assert event.button == Button(text="Yes", link="https://example.com/x")
    assert event.callback_data == OUR_ID
    assert event.at_ms == 1654235013237


INBOUND: list[tuple[str, Any, dict[str, Any], dict[str, Any]]] = [
    ("Text", "Hello", {}, {"content": "text", "text": "Hello"}),
    ("Text", '{"type":"button_reply","button_reply":{"id":"x"}}', {}, {"content": "text", "button": None}),
    ("Text", "123", {}, {"content": "text", "text": "123"}),
    ("Text", {"text": "Hello"}, {}, {"content": "text", "text": "Hello"}),
    ("", "Hello", {}, {"content": "text", "text": "Hello"}),
    ("Image", "a caption", {"media_url": "https://example.com/a"}, {"content": "image", "text": "a caption"}),
    (
        "Sticker",
        None,
        {"media_url": "https://example.com/a"},
        {"content": "sticker", "media_url": "https://example.com/a"},
    ),
    ("Button", "Stop", {}, {"content": "button", "button": Button(text="Stop"), "text": ""}),
    ("Button", '{"text":"Stop","payload":"p"}', {}, {"button": Button(text="Stop", id="p")}),
    (
        "InteractiveButtonReply",
        '{"type":"button_reply","button_reply":{"id":"btn_yes","title":"Yes"}}',
        {"source_message_id": "m"},
        {"content": "button_reply", "button": Button(text="Yes", id="btn_yes"), "reply_to": "m"},
    ),
    (
        "InteractiveListReply",
        json.dumps(
            json.dumps({"type": "list_reply", "list_reply": {"id": "r", "title": "T", "description": "d"}})
        ),
        {},
        {"content": "list_reply", "button": Button(text="T", id="r", description="d")},
    ),
    ("InteractiveListReply", {"id": "r", "title": "T"}, {}, {"button": Button(text="T", id="r")}),
    ("InteractiveButtonReply", "Yes", {}, {"content": "button_reply", "button": Button(text="Yes")}),
    ("Location", '{"latitude":1}', {}, {"content": "location", "text": '{"latitude":1}'}),
]


@pytest.mark.parametrize(("content_type", "message", "changes", "expected"), INBOUND)
def test_what_a_person_sends_is_read(
    content_type: str, message: Any, changes: dict[str, Any], expected: dict[str, Any]
) -> None:
    event = read(received(content_type, message, **changes))
    assert (event.kind, event.phone, event.at_ms) == ("inbound", PHONE, 1654235013133)
    assert {name: getattr(event, name) for name in expected} == expected


def test_the_documents_own_webhooks_are_read() -> None:
    documented = webhooks()
    message, seen = read(documented["9.1"]), read(documented["9.2"])
    assert message == Event(
        "inbound",
        "USER_MESSAGE",
        channel="rcs",
        provider_id="msg_id_123",
        phone=PHONE,
        at_ms=1704103200000,
        content="text",
        text="Hello, I need help",
    )
    assert (seen.kind, seen.status, seen.provider_id) == ("receipt", "read", "msg_id_123")
    assert seen.at_ms == 1704103500000


def rcs(kind: str, **entity: Any) -> dict[str, Any]:
    return {"userPhoneNumber": "+" + PHONE, "entityType": kind, "entity": {"messageId": "m", **entity}}


RCS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (rcs("USER_EVENT", eventType="MESSAGE_DELIVERED"), {"kind": "receipt", "status": "delivered"}),
    (rcs("USER_EVENT", eventType="IS_TYPING"), {"kind": "unknown", "type": "IS_TYPING"}),
    (
        rcs("SERVER_EVENT", eventType="TTL_EXPIRATION_REVOKED", phoneNumber=PHONE),
        {"status": "failed", "code": "TTL_EXPIRATION_REVOKED"},
    ),
    (
        rcs("STATUS_EVENT", eventType="SEND_MESSAGE_FAILURE", error={"code": 404, "message": "no RCS"}),
        {"status": "failed", "code": "404", "reason": "no RCS"},
    ),
    (
        rcs(
            "USER_MESSAGE",
            suggestionResponse={"postBack": {"data": "d"}, "plainText": "Yes", "type": "REPLY"},
        ),
        {"content": "button_reply", "button": Button(text="Yes", id="d")},
    ),
    (
        rcs("USER_MESSAGE", userFile={"payload": {"fileUri": "https://example.com/f"}}),
        {"content": "media", "media_url": "https://example.com/f"},
    ),
    (
        rcs("USER_MESSAGE", location={"latitude": 1.5, "longitude": "2"}),
        {"content": "location", "text": "1.5,2"},
    ),
    (
        {
            "entityType": "USER_EVENT",
            "entity": {"eventType": "MESSAGE_READ", "senderPhoneNumber": "+" + PHONE},
        },
        {"kind": "receipt", "phone": PHONE},
    ),
]


@pytest.mark.parametrize(("body", "expected"), RCS)
def test_rcs_callbacks_are_read(body: dict[str, Any], expected: dict[str, Any]) -> None:
    event = read(body)
    assert event.channel == "rcs"
    assert {name: getattr(event, name) for name in expected} == expected


VALUE = {
    "event": "APPROVED",
    "message_template_name": "welcome_message",
    "message_template_language": "en",
    "reason": "NONE",
}


@pytest.mark.parametrize(
    "data",
    [VALUE, {"message": VALUE}, json.dumps(VALUE), {"entry": [{"changes": [{"value": json.dumps(VALUE)}]}]}],
)
def test_a_template_update_is_read_wherever_metas_words_are(data: Any) -> None:
    event = read({"type": "message_template_status_update", "timestamp": "2024-01-01T00:00:00", "data": data})
    assert (event.kind, event.template, event.language) == ("template_update", "welcome_message", "en")
    assert (event.state, event.reason, event.at_ms) == ("APPROVED", "NONE", 1704067200000)


@pytest.mark.parametrize(
    ("told", "data", "kind", "state"),
    [
        ("account_update", {"event": "ACCOUNT_RESTRICTION"}, "account", "ACCOUNT_RESTRICTION"),
        ("account_review_update", {"decision": "approved"}, "account", "APPROVED"),
        (
            "phone_number_quality_update",
            {"event": "FLAGGED", "current_limit": "TIER_1K"},
            "quality",
            "FLAGGED",
        ),
        ("business_capability_update", None, "account", ""),
        ("workflow_response_update", {"customer_number": "+" + PHONE}, "workflow", ""),
        ("Webhook Test", {"customer": {}}, "test", ""),
        ("something_new", {}, "unknown", ""),
    ],
)
def test_other_types_have_their_kind(told: str, data: Any, kind: str, state: str) -> None:
    event = read({"type": told, "data": data})
    assert (event.kind, event.type, event.state) == (kind, told, state)


def test_the_body_may_be_bytes_text_or_json_in_json() -> None:
    body = status("read")
    once = json.dumps(body)
    parts = {**body, "data": json.dumps({**body["data"], "message": json.dumps(body["data"]["message"])})}
    for form in (once, once.encode(), json.dumps(once), parts):
        assert read(form) == read(body)


@pytest.mark.parametrize(
    ("time", "millis"),
    [
        ("2022-06-03T05:43:33.237499", 1654235013237),
        ("2022-06-03T05:43:33.848", 1654235013848),
        ("2022-06-03T05:43:33Z", 1654235013000),
        ("2022-06-03T11:13:33+05:30", 1654235013000),
        ("2022-06-03 05:43:33.237499", 1654235013237),
        (1654235013, 1654235013000),
        ("1654235013", 1654235013000),
        (1654235013237, 1654235013237),
        (1654235013237499, 1654235013237),
        ("soon", None),
        ("", None),
        (True, None),
        (float("nan"), None),
        (float("inf"), None),
        (-5, None),
        (10**400, None),
        ("0001-01-01T00:00:00", None),
        ("9999-12-31T23:59:59.999999-23:59", None),
        ([], None),
        ("9" * 5000, None),
    ],
)
def test_times_are_milliseconds_in_utc(time: Any, millis: int | None) -> None:
    body = {**status("sent", received_at_utc=time), "timestamp": None}
    assert read(body).at_ms == millis


def test_what_the_sandbox_sends_is_understood() -> None:
    account = Account("label", Settings())
    message = Message("id-1", PHONE, "Template", OUR_ID, None, None, "Hello")
    for kind, rank in RANKS.items():
        event = read(shapes.status(account, message, kind, "131026", 1_700_000_000.0))
        assert (RANKS[event.status], event.provider_id, event.callback_data) == (rank, "id-1", OUR_ID)
        assert event.phone == PHONE
    reply = read(shapes.received(account, PHONE, {"button_reply": {"id": "b", "title": "B"}}))
    assert reply.button == Button(text="B", id="b")
    assert read(shapes.rcs_received(PHONE, {"text": "Hello"})).text == "Hello"
    assert read(shapes.test()).kind == "test"


def test_the_repr_of_an_event_says_nothing_personal() -> None:
    text = repr(read(received("Text", "a secret")))
    assert PHONE not in text
    assert "secret" not in text


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(),
        st.sampled_from(
            ["\ud800", "{", '"\\ud800"', "[" * 3000, '{"a":1}', "9" * 5000, 10**400, "x" * 100_000]
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.text(max_size=20), inner, max_size=4),
        inner.map(lambda value: json.dumps(value, default=str)),
    ),
    max_leaves=10,
)
BODIES = [
    *(status(kind) for kind in ("sent", "failed", "delivered", "read", "clicked")),
    *(received(*one[:2], **one[2]) for one in INBOUND),
    *webhooks().values(),
    *(body for body, _ in RCS),
    {"type": "message_template_status_update", "data": VALUE},
]
TYPES = st.sampled_from(
    [*STATUSES, *NOTICES, "message_received", "USER_MESSAGE", "USER_EVENT", "SERVER_EVENT", "x"]
)


def well_formed(event: Event) -> None:
    assert isinstance(event, Event)
    for name in Event.__slots__:
        value = getattr(event, name)
        assert isinstance(value, str | int | Button | None)
        if isinstance(value, str):
            assert len(value.encode()) < 300_000
    assert event.phone == "" or event.phone.isdecimal()
    assert len(event.callback_data) <= 512
    json.dumps({name: getattr(event, name) for name in Event.__slots__ if name != "button"}, allow_nan=False)


@settings(max_examples=300, deadline=None)
@given(st.one_of(JSON, st.binary(), st.fixed_dictionaries({"type": TYPES, "data": JSON, "timestamp": JSON}),
                 st.fixed_dictionaries({"entityType": JSON, "entity": JSON, "userPhoneNumber": JSON})))  # fmt: skip
def test_anything_at_all_is_an_event(body: Any) -> None:
    well_formed(read(body))


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(BODIES), st.lists(JSON, min_size=1, max_size=4), st.randoms())
def test_a_broken_webhook_is_an_event(body: dict[str, Any], values: list[Any], chance: random.Random) -> None:
    broken = copy.deepcopy(body)
    for value in values:
        at: Any = broken
        while True:
            key = chance.choice(sorted(at)) if at else "x"
            if isinstance(at.get(key), dict) and chance.random() < 0.8:
                at = at[key]
                continue
            at[key] = value
            break
    well_formed(read(broken))


def test_json_nested_without_end_is_unknown() -> None:
    assert read("[" * 1_000_000).kind == "unknown"
    assert read('{"type":"account_update","data":' + '{"a":' * 100_000).kind == "unknown"
    nested: Any = {"event": "X"}
    for _ in range(50_000):
        nested = {"a": nested}
    assert read({"type": "account_update", "data": nested}).kind == "account"
    while nested:
        nested = nested.pop("a", None)


def test_importing_schemas_loads_neither_marshmallow_nor_phonenumbers() -> None:
    code = "import sys, schemas; sys.exit(bool({'marshmallow', 'phonenumbers', 'celery', 'requests'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)


USER_ID = "IN.13491208655302741918"


@pytest.mark.parametrize(
    ("customer", "phone", "user_id"),
    [
        ({"channel_phone_number": PHONE, "user_id": USER_ID}, PHONE, USER_ID),
        ({"user_id": USER_ID, "channel_phone_number": None}, "", USER_ID),
        ({"channel_phone_number": USER_ID}, "", USER_ID),
        ({"channel_phone_number": "IN.12345678"}, "", "IN.12345678"),
        ({"parent_user_id": "IN.ENT.118157", "bsuid": USER_ID, "phone_number": ""}, "", USER_ID),
        ({"id": "c", "name": "OK.Thanks", "traits": {"user_id": USER_ID}}, "", ""),
        ({}, "", ""),
    ],
)
def test_a_person_may_come_with_a_number_an_id_both_or_neither(
    customer: dict[str, Any], phone: str, user_id: str
) -> None:
    for body in (received("Text", "OK.Thanks"), status("delivered")):
        body["data"]["customer"] = customer
        event = read(body)
        assert (event.phone, event.user_id) == (phone, user_id)
