"""Webhooks about templates, the account and the number's quality: Meta's words, wherever they are put (interakt-api 11)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from .event import Event, Kind
from .loose import digits_of, mapping, text_of, time_of, unwrapped

MOST_NODES = 200
STATES = (
    "event",
    "new_quality_score",
    "approval_status",
    "status",
    "decision",
    "alert_type",
    "current_limit",
)
REASONS = (
    "reason",
    "rejection_reason",
    "rejected_reason",
    "alert_description",
    "alert_message",
    "description",
)
TEMPLATES = ("message_template_name", "template_name", "name")
LANGUAGES = ("message_template_language", "template_language", "language")


def read_notice(body: dict[str, Any], told: str, kind: Kind) -> Event:
    """A template, account, quality, workflow or test event."""
    objects = list(_objects(body.get("data")))
    about_template = kind == "template_update"
    return Event(
        kind,
        told,
        at_ms=time_of(body.get("timestamp")),
        phone=digits_of(mapping(body.get("data")).get("customer_number")) if kind == "workflow" else "",
        template=_first(objects, TEMPLATES, 512) if about_template else "",
        language=_first(objects, LANGUAGES, 40) if about_template else "",
        state=_first(objects, STATES, 100).upper(),
        reason=_first(objects, REASONS, 1024),
    )


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """The objects in a value, the outer ones first, and not more than a few hundred."""
    waiting = deque([value])
    for _ in range(MOST_NODES):
        if not waiting:
            return
        found = unwrapped(waiting.popleft())
        if isinstance(found, dict):
            yield found
            waiting.extend(found.values())
        elif isinstance(found, list):
            waiting.extend(found[:20])


def _first(objects: list[dict[str, Any]], names: tuple[str, ...], most: int) -> str:
    for name in names:
        for found in objects:
            if text := text_of(found.get(name), most):
                return text
    return ""
