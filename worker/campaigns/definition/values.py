"""A template's value: fixed text in which ``{column}`` stands for a recipient's own value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from schemas.nothing import says_nothing
from schemas.values import EMPTY, value_problem

MOST_CHARACTERS = 4096
_COLUMN = re.compile(r"\{([^{}]*)\}")


def problem(value: str) -> str:
    """Why Interakt would refuse this value of a variable, or an empty string; ``EMPTY`` for one that shows nothing."""
    if "\ufffd" in value:
        return "has a character that could not be read: save the file as UTF-8"
    if len(value) > MOST_CHARACTERS:
        return f"is longer than {MOST_CHARACTERS} characters"
    return value_problem(value) or (EMPTY if not value.isascii() and says_nothing(value) == "empty" else "")


@dataclass(frozen=True, slots=True)
class Value:
    """``parts`` alternates fixed text and column names, beginning with text."""

    source: str
    parts: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return self.parts[1::2]

    def render(self, row: Mapping[str, str]) -> str:
        """The text for one recipient; ``row`` is column -> value."""
        if len(self.parts) == 1:
            return self.source
        return "".join(row[part] if at % 2 else part for at, part in enumerate(self.parts))


def parse(source: str) -> Value:
    """Read a value; raises ``ValueError`` for a value that could never be sent."""
    if why := problem(source):
        raise ValueError(why)
    if "{{" in source or "}}" in source:
        raise ValueError(
            "{{1}} belongs in the template; a value names a column of the recipients, such as {name}"
        )
    parts = [part.strip() if at % 2 else part for at, part in enumerate(_COLUMN.split(source))]
    if any("{" in text or "}" in text for text in parts[::2]):
        raise ValueError("a brace without its other half")
    if not all(parts[1::2]):
        raise ValueError("{} names no column")
    return Value(source, tuple(parts))
