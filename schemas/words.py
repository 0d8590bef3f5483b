"""What is said about a value that is wrong, without saying the value."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from math import isfinite
from typing import Any

LARGEST = 2**64
_DIGITS = re.compile(r"\d{4,}")
_KINDS: tuple[tuple[Any, str], ...] = (
    (bool, "true or false"),
    (str, "text"),
    ((int, float), "a number"),
    ((list, tuple), "a list"),
    (dict, "an object"),
)


def kind(value: object) -> str:
    """What a value is, in JSON's words."""
    if value is None:
        return "null"
    for kinds, name in _KINDS:
        if isinstance(value, kinds):
            return name
    return f"a Python {type(value).__name__[:40]}"


def shown(key: object) -> str:
    """A key of someone else's payload, fit for a log: short, printable, without runs of digits."""
    if not isinstance(key, str):
        return f"<{kind(key)}>"
    return _DIGITS.sub("#", "".join(c if c.isprintable() else "?" for c in key[:40])) or '""'


def joined(path: str, key: object) -> str:
    """The path of a key, or of a position in a list, below ``path``."""
    if isinstance(key, int) and not isinstance(key, bool):
        return f"{path}[{key}]" if path else f"[{key}]"
    return f"{path}.{shown(key)}" if path else shown(key)


def hint(name: object, known: Iterable[str]) -> str:
    """Which known name is most like ``name``, or which names there are."""
    names = sorted(known)
    if not isinstance(name, str):
        return ", a key must be text"
    plain = {_plain(one): one for one in names}
    near = plain.get(_plain(name)) or next(iter(difflib.get_close_matches(name[:60], names, 1)), None)
    return f' (did you mean "{near}"?)' if near else f", known are {', '.join(names)}"


def _plain(name: str) -> str:
    return name[:60].lower().replace("_", "").replace("-", "")


def json_problem(value: object) -> str:
    """Why ``value``, of bounded depth, cannot be written as JSON, or an empty string."""
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, str):
        return text_problem(value)
    if isinstance(value, int):
        return "" if -LARGEST < value < LARGEST else "must be a number of at most 64 bits"
    if isinstance(value, float):
        return "" if isfinite(value) else "must be a finite number"
    if not isinstance(value, list | tuple | dict):
        return f"must be JSON, not {kind(value)}"
    if isinstance(value, dict):
        if not all(isinstance(key, str) and not text_problem(key) for key in value):
            return "must have keys that are text"
        value = value.values()
    return next((why for one in value if (why := json_problem(one))), "")


def text_problem(value: str) -> str:
    """Why text cannot be sent, or an empty string: half a character of UTF-16 has no place in UTF-8."""
    if value.isascii():
        return ""
    try:
        value.encode()
    except UnicodeEncodeError:
        return "holds half a character (a lone surrogate), which is not Unicode text"
    return ""
