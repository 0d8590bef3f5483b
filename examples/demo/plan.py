"""What the demo enqueues: the document's own examples, and some that must fail."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DOCUMENT = Path(__file__).resolve().parents[2] / "tests" / "data" / "One_Key_CRM_API.md"
OPERATIONS = {
    "1.1": "track_user",
    "1.2": "track_event",
    "2.1": "send_image",
    "2.2": "send_document",
    "2.3": "send_video",
    "2.4": "send_audio",
    "2.5": "send_sticker",
    "2.6": "send_buttons",
    "2.7": "send_list",
    "3.1": "send_template",
    "3.2": "send_template",
    "3.3": "send_auth_template",
    "3.4": "send_template",
    "3.5": "send_template",
    "3.6": "send_template",
    "4.1": "create_template",
    "4.2": "create_template",
    "4.3": "create_template",
    "5.1": "create_campaign",
    "6.1": "find_users",
    "7.1": "send_rcs_text",
    "7.2": "send_rcs_carousel",
    "7.3": "send_rcs_card",
    "8.1": "assign_chat",
}
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
    """One item for each example payload of the document's sections 1 to 8."""
    items = []
    for section in re.split(r"(?m)^### ", DOCUMENT.read_text(encoding="utf-8"))[1:]:
        number, _, title = section.split("\n", 1)[0].partition(" ")
        block = re.search(r"```json\n(.*?)```", section, re.DOTALL)
        if number in OPERATIONS and block:
            items.append(Item(f"{number} {title}", OPERATIONS[number], json.loads(block[1])))
    return items


def further_items(media: Path) -> list[Item]:
    """The operations that the document does not show with a payload of their own."""
    return [
        Item("text message", "send_text", {**PHONE, "type": "Text", "data": {"message": "Hello"}}),
        Item("4.4 Get All Templates", "list_templates", {"offset": 0, "limit": 20}),
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
