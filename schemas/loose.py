"""Fields that take what they are given as far as it makes sense, and leave the rest empty: they never refuse."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, cast

from marshmallow import EXCLUDE, Schema, fields, missing

MOST_TEXT = 65_536
YEAR_2100_MS = 4_102_444_800_000
SECONDS, MILLIS, MICROS = 10**11, 10**14, 10**17


class LooseShape(Schema):
    """An object of which only the named keys are read."""

    class Meta:
        unknown = EXCLUDE


class Loose(fields.Field[Any]):
    """A field that is ``empty`` when it is missing, null or of no use."""

    empty: Any = ""

    def deserialize(self, value: Any, attr: Any = None, data: Any = None, **_: Any) -> Any:
        return self.empty if value is missing or value is None else self.read(value)

    def read(self, value: Any) -> Any:
        """The value as this field understands it."""
        raise NotImplementedError


class LooseText(Loose):
    """Text, or a number as text, cut at ``most`` characters; always fit for UTF-8."""

    def __init__(self, most: int = 512, **options: Any) -> None:
        super().__init__(**options)
        self.most = most

    def read(self, value: Any) -> str:
        return text_of(value, self.most)


class LooseTime(Loose):
    """A time as milliseconds since 1970: ISO 8601 with or without a zone (UTC then), or a number."""

    empty = None

    def read(self, value: Any) -> int | None:
        return time_of(value)


class LooseObject(Loose):
    """An object, also as JSON in text (in text); ``{}`` of the shape when it is something else."""

    def __init__(self, shape: type[LooseShape], **options: Any) -> None:
        super().__init__(**options)
        self.shape = shape()

    def deserialize(self, value: Any, attr: Any = None, data: Any = None, **_: Any) -> Any:
        found = unwrapped(value)
        return self.shape.load(found if isinstance(found, dict) else {})


class AsGiven(Loose):
    """Anything, untouched."""

    empty = None

    def read(self, value: Any) -> Any:
        return value


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
        value = parsed(value)
        depth -= 1
    return value


def parsed(text: str | bytes | bytearray) -> Any:
    """What JSON says, or None; neither its depth nor its numbers can raise."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


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


def mapping(value: Any) -> dict[str, Any]:
    """``value`` as an object, also from JSON in text, else an empty one."""
    found = unwrapped(value)
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
