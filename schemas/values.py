"""Which values may be sent: JSON, text, and the value of a template's variable."""

from __future__ import annotations

import re
from math import isfinite

from .words import kind

LARGEST = 2**64
_FORBIDDEN = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029]| {4}")
EMPTY = "must not be empty"
_LINES = "\n\r\x0b\x0c\x85\u2028\u2029"


def value_problem(value: str) -> str:
    """Why Interakt would refuse this value of a variable (interakt-api 3 and 5), or an empty string."""
    found = _FORBIDDEN.search(value)
    if found is None:
        return text_problem(value) if value and not value.isspace() else EMPTY
    if found[0] in _LINES:
        return "must be one line, it has a line break"
    if found[0] == "\t":
        return "must not have a tab in it"
    if found[0] == "    ":
        return "must not have four or more spaces in a row"
    return "must not have a control character in it"


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
