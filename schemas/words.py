"""What is said about a value that is wrong, without saying the value, and the error that says it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any

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


class Invalid(ValueError):
    """Raised when a payload is refused; ``errors`` maps each path to what was wrong and what is allowed.

    No text in it repeats a value of the payload: it goes to dead letters and logs.
    """

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(errors)
        self.errors = errors

    def __str__(self) -> str:
        return "; ".join(f"{path}: {what}" for path, what in self.errors.items())
