"""Parts of error messages about a payload, without its values."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from math import isfinite
from typing import Any

DEEPEST = 32
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
    """The name of a value's JSON type."""
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
    """The path of a key in the object at ``path``."""
    return f"{path}.{shown(key)}" if path else shown(key)


def hint(name: str, known: Iterable[str]) -> str:
    """Which known name is most like ``name``, or which names there are."""
    names = sorted(known)
    plain = {_plain(one): one for one in names}
    near = plain.get(_plain(name)) or next(iter(difflib.get_close_matches(name[:60], names, 1)), None)
    return f' (did you mean "{near}"?)' if near else f", known are {', '.join(names)}"


def _plain(name: str) -> str:
    return name[:60].lower().replace("_", "").replace("-", "")


def is_json(value: object, depth: int = 0) -> bool:
    """Whether ``value`` can be written as JSON: numbers finite, of 64 bits, keys text, not too deep."""
    if value is None or isinstance(value, str):
        return True
    if isinstance(value, int):
        return -LARGEST < value < LARGEST
    if isinstance(value, float):
        return isfinite(value)
    if depth >= DEEPEST:
        return False
    if isinstance(value, list | tuple):
        return all(is_json(one, depth + 1) for one in value)
    if isinstance(value, dict):
        return all(isinstance(key, str) and is_json(one, depth + 1) for key, one in value.items())
    return False


def not_json(value: object) -> str:
    """What is wrong with a value that ``is_json`` refuses."""
    if isinstance(value, int):
        return "must be a number of at most 64 bits"
    if isinstance(value, float):
        return "must be a finite number"
    if isinstance(value, dict | list | tuple):
        return f"holds something that is not JSON, or is nested deeper than {DEEPEST}"
    return f"must be JSON, not {kind(value)}"
