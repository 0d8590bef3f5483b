"""The examples of Interakt's API document, by section: payloads to send, answers and webhooks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

DOCUMENT = Path(__file__).parent / "One_Key_CRM_API.md"
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
    "4.4": "list_templates",
    "5.1": "create_campaign",
    "6.1": "find_users",
    "7.1": "send_rcs_text",
    "7.2": "send_rcs_carousel",
    "7.3": "send_rcs_card",
    "8.1": "assign_chat",
}


class Example(NamedTuple):
    """One documented call; ``path`` has its query, a fresh copy of ``payload`` is made for each caller."""

    section: str
    title: str
    operation: str
    payload: dict[str, Any]
    method: str
    path: str


def examples() -> list[Example]:
    """Every payload of sections 1 to 8 in the document's order; 4.4 has its query as payload."""
    found = []
    for section in _sections():
        if section.number in OPERATIONS:
            payload = section.blocks.get("Payload") or _query(section.path)
            found.append(
                Example(
                    section.number,
                    section.title,
                    OPERATIONS[section.number],
                    payload,
                    section.method,
                    section.path,
                )
            )
    return found


def responses() -> dict[str, dict[str, Any]]:
    """The documented answers by section number; ``...`` in them is an empty object."""
    return {one.number: one.blocks["Response"] for one in _sections() if "Response" in one.blocks}


def webhooks() -> dict[str, dict[str, Any]]:
    """The webhook payloads of section 9 by section number."""
    return {
        one.number: one.blocks["Payload Example"] for one in _sections() if "Payload Example" in one.blocks
    }


class _Section(NamedTuple):
    number: str
    title: str
    method: str
    path: str
    blocks: dict[str, dict[str, Any]]


def _sections() -> Iterator[_Section]:
    for chapter in re.split(r"(?m)^## ", _text())[1:]:
        head, *parts = re.split(r"(?m)^### ", chapter)
        for part in parts:
            number, title = part.split("\n", 1)[0].split(" ", 1)
            blocks = re.findall(r"\*\*([A-Za-z ]+)\*\*:\s*```json\n(.*?)```", part, re.DOTALL)
            yield _Section(
                number,
                title.strip(),
                _one(r"\*\*Method\*\*: `([A-Z]+)`", part, head),
                _one(r"\*\*Endpoint\*\*: `https://api\.interakt\.ai/v1/public/([^`]*)`", part, head),
                {name: json.loads(text.replace("{ ... }", "{}")) for name, text in blocks},
            )


@cache
def _text() -> str:
    return DOCUMENT.read_text(encoding="utf-8")


def _one(pattern: str, *texts: str) -> str:
    return next((found[1] for text in texts if (found := re.search(pattern, text))), "")


def _query(path: str) -> dict[str, Any]:
    pairs = parse_qsl(urlsplit(path).query)
    return {name: int(value) if value.isdecimal() else value for name, value in pairs}
