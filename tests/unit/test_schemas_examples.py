"""What the document shows is accepted as written, and so are the shapes that differ from it today."""

from __future__ import annotations

import copy
from typing import Any

import pytest

import schemas
from examples.document import Example, examples, responses, webhooks
from interakt_jobs.check import check
from interakt_jobs.operations import OPERATIONS

TO = {"fullPhoneNumber": "919999999999"}
PAIR = {"countryCode": "+91", "phoneNumber": "9999999999"}
BUTTON = {"type": "reply", "reply": {"id": "id1", "title": "Ok"}}
SECTIONS = [{"title": "s", "rows": [{"id": "r1", "title": "t", "description": "d"}]}]
SMS = {
    "channel": "sms",
    "sender_id": "ABCDEF",
    "pe_id": "1",
    "provider_name": "default",
    "content": {"message": "Hi {{1}}", "dlt_te_id": "2", "variables": ["John"]},
}
REPLY = {"reply": {"plainText": "Yes", "postBack": {"data": "yes"}}}
NAMED = {"name": "welcome_message", "languageCode": "en"}
NEW = {"display_name": "N", "language": "English", "category": "Marketing", "body": "Hi"}
URL = "https://example.com/a.jpg"

CURRENT: list[tuple[str, dict[str, Any]]] = [
    ("send_text", {**TO, "type": "Text", "data": {"message": "Hello"}}),
    ("send_text", {**PAIR, "callbackData": "x" * 512, "userId": "", "data": {"message": "two\nlines"}}),
    ("send_text", {**TO, "countryCode": "", "phoneNumber": "", "data": {"message": "Hello"}}),
    ("send_text", {**TO, **PAIR, "data": {"message": "Hello"}}),
    ("send_text", {"phoneNumber": "9999999999", "data": {"message": "Hello"}}),
    ("send_text", {"countryCode": "91", "phoneNumber": "9999999999", "data": {"message": "Hello"}}),
    (
        "send_text",
        {**PAIR, "campaignId": "4fdff884-c388-4c1e-aea6-1890222dbc2e", "data": {"message": "Hello"}},
    ),
    ("send_image", {**PAIR, "data": {"mediaUrl": URL, "message": ""}}),
    ("send_sticker", {**PAIR, "data": {"mediaUrl": "http://example.com/s.webp?a=b#c"}}),
    (
        "send_buttons",
        {
            **TO,
            "callbackData": "x",
            "type": "InteractiveButton",
            "data": {"message": {"type": "button", "body": {"text": "?"}, "action": {"buttons": [BUTTON]}}},
        },
    ),
    (
        "send_buttons",
        {
            **TO,
            "data": {
                "message": {
                    "type": "button",
                    "header": {"type": "text", "text": "h"},
                    "body": {"text": "?"},
                    "footer": {"text": "f"},
                    "action": {"buttons": [BUTTON] * 3},
                }
            },
        },
    ),
    (
        "send_list",
        {
            **TO,
            "type": "InteractiveList",
            "data": {
                "message": {
                    "type": "list",
                    "body": {"text": "?"},
                    "action": {"button": "View", "sections": SECTIONS},
                }
            },
        },
    ),
    ("send_template", {**PAIR, "template": {**NAMED, "bodyValues": [], "headerValues": []}}),
    ("send_template", {**PAIR, "template_category": "utility", "fallback": [SMS], "template": NAMED}),
    ("send_template", {**PAIR, "template": {**NAMED, "template_category": "MARKETING"}}),
    ("send_template", {**PAIR, "template": {**NAMED, "headerValues": [URL], "fileName": "a.pdf"}}),
    ("send_template", {**PAIR, "template": {**NAMED, "carouselCards": [{"bodyValues": ["a"]}] * 10}}),
    ("send_rcs_text", {**PAIR, "callbackData": "x", "fallback": [SMS], "message": {"plainText": "Hello"}}),
    (
        "send_rcs_text",
        {**PAIR, "type": "Template", "campaignId": "c", "template": {**NAMED, "bodyValues": ["a"]}},
    ),
    (
        "send_rcs_carousel",
        {**PAIR, "type": "Template", "template": {**NAMED, "carouselCards": [{"bodyValues": ["a"]}]}},
    ),
    (
        "send_rcs_card",
        {
            **PAIR,
            "message": {
                "richCardDetails": {"standalone": {"content": {"cardTitle": "t", "suggestions": [REPLY] * 4}}}
            },
        },
    ),
    (
        "track_user",
        {
            "userId": "u-1",
            "traits": {
                "whatsapp_opted_in": True,
                "_internal_lead_source": "x",
                "n": 1.5,
                "l": ["a", 2],
                "z": None,
            },
            "tags": ["a"],
            "add_to_sales_cycle": True,
            "createdAt": "2024-01-01T00:00:00.000Z",
        },
    ),
    (
        "track_event",
        {**TO, "event": "Order", "traits": {"a": {"b": [1]}}, "createdAt": "2024-01-01T00:00:00+05:30"},
    ),
    ("create_template", {**NEW, "header_format": "TEXT", "header": "Hi {{1}}", "header_text": ["John"]}),
    ("create_template", {**NEW, "header_format": "TEXT", "header": "Hi", "header_text": []}),
    ("create_template", {**NEW, "header_format": None, "header": None, "body_text": [], "footer": None}),
    ("create_template", {**NEW, "body": "{{1}} {{2}} {{1}}", "body_text": ["a", "b"]}),
    (
        "create_template",
        {
            **NEW,
            "button_type": "Call To Action",
            "buttons": [
                {"type": "URL", "text": "Open", "url": "https://example.com/{{1}}"},
                {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+919999999999"},
            ],
            "button_text": "https://example.com/a",
        },
    ),
    (
        "list_templates",
        {
            "offset": 0,
            "template_name": "x",
            "autosubmitted_for": "all",
            "approval_status": "APPROVED",
            "variable_present": "Yes",
            "language": "all",
        },
    ),
    (
        "upload_template_media",
        {"fileUrl": URL, "fileName": "a.jpg", "fileCategory": "message_template_media"},
    ),
    ("upload_template_media", {"filePath": "a.jpg", "fileName": "a.jpg"}),
    (
        "find_users",
        {
            "offset": 0,
            "limit": 100,
            "filters": [
                {"trait": "modified_at_utc", "op": "gt", "val": "2024-01-01T00:00:00Z"},
                {"trait": "name", "op": "eq", "val": "John", "supr_op": "or"},
            ],
        },
    ),
    ("find_users", {"filters": []}),
    ("assign_chat_to_agent", {"user_phone_number": "919999999999", "agent_email": "agent@example.com"}),
]


@pytest.mark.parametrize("example", examples(), ids=lambda one: f"{one.section} {one.operation}")
def test_an_example_of_the_document_is_accepted_as_written(example: Example) -> None:
    before = copy.deepcopy(example.payload)
    schemas.check(example.operation, example.payload)
    schemas.check(example.operation, example.payload, allow_unknown=True)
    check(example.payload, OPERATIONS[example.operation].payload)
    assert example.payload == before
    assert schemas.complete(example.operation, example.payload) == before


@pytest.mark.parametrize(("operation", "payload"), CURRENT)
def test_a_shape_of_today_is_accepted(operation: str, payload: dict[str, Any]) -> None:
    schemas.check(operation, payload)
    schemas.check(operation, schemas.complete(operation, payload))
    check(payload, OPERATIONS[operation].payload)


def test_a_template_message_may_carry_a_code_as_in_3_3() -> None:
    code = next(one for one in examples() if one.section == "3.3")
    assert schemas.check("send_template", code.payload) == []


def test_every_operation_has_a_schema() -> None:
    assert schemas.OPERATIONS.keys() == OPERATIONS.keys()


def test_every_section_with_a_call_has_an_example() -> None:
    assert len(examples()) == 25
    assert all(one.method and one.path for one in examples())
    assert responses().keys() == {"1.1", "1.2", "5.1", "6.1"}
    assert webhooks().keys() == {"9.1", "9.2"}


@pytest.mark.parametrize("example", examples(), ids=lambda one: f"{one.section} {one.operation}")
def test_the_type_may_be_left_out_and_is_completed(example: Example) -> None:
    if "type" not in example.payload:
        return
    without = {name: value for name, value in example.payload.items() if name != "type"}
    assert schemas.complete(example.operation, without) == example.payload
    assert "type" not in without


def test_an_rcs_template_is_completed_as_a_template() -> None:
    assert schemas.complete("send_rcs_carousel", {"template": {}})["type"] == "Template"


def test_an_unknown_operation_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        schemas.check("send_pigeon", {})
    with pytest.raises(KeyError):
        schemas.complete("send_pigeon", {})
