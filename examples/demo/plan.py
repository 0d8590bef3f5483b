"""What the demo enqueues: the document's own examples, and some that must fail."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from examples.document import examples

PHONE = {"countryCode": "+91", "phoneNumber": "9999999999"}


@dataclass(frozen=True, slots=True)
class Item:
    """One job of the demo and the end it must come to: ``done``, ``cancelled`` or a dead letter's reason."""

    label: str
    operation: str
    payload: dict[str, Any]
    ends: str = "done"
    options: dict[str, Any] = field(default_factory=dict)
    cancel: bool = False


def document_items() -> list[Item]:
    """One item for each example call of the document's sections 1 to 8."""
    return [Item(f"{found.section} {found.title}", found.operation, found.payload) for found in examples()]


def further_items(media: Path) -> list[Item]:
    """The operations that the document does not show with a payload of their own."""
    return [
        Item("text message", "send_text", {**PHONE, "type": "Text", "data": {"message": "Hello"}}),
        Item("upload media", "upload_template_media", {"filePath": str(media), "fileName": media.name}),
        Item(
            "assign by e-mail",
            "assign_chat_to_agent",
            {"user_phone_number": "919999999999", "agent_email": "agent@example.com"},
        ),
    ]


def failing_items() -> list[Item]:
    """What must not be sent, each for another reason."""
    buttons = [{"type": "reply", "reply": {"id": f"b{n}", "title": f"B{n}"}} for n in range(4)]
    template = {"name": "no_such_template", "languageCode": "en", "bodyValues": ["x"]}
    code = {
        "name": "auth_one_tap_code",
        "languageCode": "en",
        "bodyValues": ["1234"],
        "buttonValues": {"0": ["9"]},
    }
    stranger = {"countryCode": "+91", "phoneNumber": "9888888888"}
    return [
        Item(
            "four buttons",
            "send_buttons",
            {
                **PHONE,
                "type": "InteractiveButton",
                "data": {"body": {"text": "?"}, "action": {"buttons": buttons}},
            },
            "invalid_payload",
        ),
        Item(
            "two different codes",
            "send_auth_template",
            {**PHONE, "type": "Template", "template": code},
            "invalid_payload",
        ),
        Item(
            "not a customer",
            "send_text",
            {**stranger, "type": "Text", "data": {"message": "Hello"}},
            "rejected",
        ),
        Item(
            "unknown template",
            "send_template",
            {**PHONE, "type": "Template", "template": template},
            "expired",
            {"expires": 6},
        ),
        Item(
            "cancelled in time",
            "track_event",
            {**PHONE, "event": "Never"},
            "cancelled",
            {"countdown": 3600},
            cancel=True,
        ),
        Item("scheduled in 3 s", "track_event", {**PHONE, "event": "Later"}, "done", {"countdown": 3}),
    ]
