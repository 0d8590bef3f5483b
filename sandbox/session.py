"""The content of session messages: text, media, buttons and lists, in the seed's and the current form."""

from __future__ import annotations

from typing import Any

from sandbox.answers import Refused


def text(data: dict[str, Any]) -> str:
    message = data.get("message")
    if not isinstance(message, str) or not message:
        raise Refused("Message is missing")
    return _short(message, 4096, "Message")


def media(data: dict[str, Any]) -> str:
    url = data.get("mediaUrl")
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        raise Refused("Media Url is missing or invalid")
    message = data.get("message")
    return message if isinstance(message, str) else ""


def buttons(data: dict[str, Any]) -> str:
    said, action = _interactive(data)
    given = action.get("buttons")
    if not isinstance(given, list) or not 1 <= len(given) <= 3:
        raise Refused("Interactive message must have 1 to 3 buttons")
    for button in given:
        reply = button.get("reply") if isinstance(button, dict) else None
        if not isinstance(reply, dict) or not isinstance(reply.get("id"), str):
            raise Refused("Interactive button needs reply.id and reply.title")
        _short(reply.get("title"), 20, "Button title")
    return said


def choices(data: dict[str, Any]) -> str:
    said, action = _interactive(data)
    _short(action.get("button"), 20, "List button")
    sections = action.get("sections")
    if not isinstance(sections, list) or not sections:
        raise Refused("Interactive list must have sections")
    rows: list[Any] = []
    for section in sections:
        given = section.get("rows") if isinstance(section, dict) else None
        if not isinstance(given, list):
            raise Refused("Each section of an interactive list must have rows")
        rows += given
    if not 1 <= len(rows) <= 10:
        raise Refused("Interactive list must have 1 to 10 rows")
    for section in sections:
        if len(sections) > 1 or section.get("title"):
            _short(section.get("title"), 24, "Section title")
    for row in rows:
        if not isinstance(row, dict) or not isinstance(row.get("id"), str) or len(row["id"]) > 200:
            raise Refused("List row needs an id of at most 200 characters")
        _short(row.get("title"), 24, "Row title")
        if row.get("description"):
            _short(row["description"], 72, "Row description")
    return said


def _interactive(data: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    inner = data.get("message")
    source = inner if isinstance(inner, dict) else data
    body, action = source.get("body"), source.get("action")
    if not isinstance(body, dict) or not isinstance(action, dict):
        raise Refused("Interactive message needs body.text and action")
    return _short(body.get("text"), 1024, "Body text"), action


def _short(value: Any, most: int, what: str) -> str:
    if not isinstance(value, str) or not value:
        raise Refused(f"{what} is missing")
    if len(value) > most:
        raise Refused(f"{what} is longer than {most} characters")
    return value
