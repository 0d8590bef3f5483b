"""Reads what comes in as far as it makes sense: each function gives something empty for what it cannot use, none raises."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

MOST_TEXT = 65_536
YEAR_2100_MS = 4_102_444_800_000
SECONDS, MILLIS, MICROS = 10**11, 10**14, 10**17


def text_of(value: Any, most: int = 512) -> str:
    """Text, or a number as text, else an empty string."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    if isinstance(value, int) and abs(value) > 10**30:
        return ""
    found = str(value)[:most]
    return found if found.isascii() else found.encode("utf-8", "replace").decode()


def unwrapped(value: Any, depth: int = 3) -> Any:
    """What JSON in text holds, up to three times inside itself; None for text that is no JSON."""
    while isinstance(value, str | bytes | bytearray) and depth:
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
        depth -= 1
    return value


def time_of(value: Any) -> int | None:
    """Milliseconds since 1970 of a time in text, or of seconds, milliseconds or microseconds; else None."""
    if isinstance(value, str):
        value = value.strip()
        if not value.replace(".", "", 1).isdecimal():
            return _moment(value)
        value = float(value[:24])
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    for most, factor in ((SECONDS, 1000), (MILLIS, 1), (MICROS, 0.001)):
        if 0 < value < most:
            return _in_range(value * factor)
    return None


def _moment(text: str) -> int | None:
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            found = found.replace(tzinfo=UTC)
        return _in_range(found.timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def _in_range(millis: float) -> int | None:
    found = round(millis)
    return found if 0 < found < YEAR_2100_MS else None


def digits_of(value: object) -> str:
    """The digits of a phone number, with or without a plus and spaces; empty when it is none."""
    text = text_of(value, 40)
    digits = "".join(one for one in text if one in "0123456789")
    return digits if 5 <= len(digits) <= 18 and not any(map(str.isalpha, text)) else ""


def mapping(value: Any, *path: str) -> dict[str, Any]:
    """The object at ``path`` below ``value``, each also read from JSON in text; else an empty one."""
    found = unwrapped(value)
    for name in path:
        found = unwrapped(found.get(name)) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}
