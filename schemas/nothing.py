"""The first look at a payload: how deep and wide it is, and which of its texts say nothing.

That is what a program writes where it had no value, and text of which nobody sees anything.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import reduce
from typing import Any

from .words import Invalid, joined

DEEPEST, MOST_ENTRIES = 40, 1000
LONGEST = 40
_NO_INK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")  # letters and marks that are blank
_WORDS = {
    "none": "None", "nan": "NaN", "nat": "NaN", "null": "null", "\\n": "null", "nil": "null", "undefined": "undefined",
    "n/a": "#N/A", "na": "#N/A", "ref!": "#REF!", "value!": "#VALUE!", "name?": "#NAME?", "div/0!": "#DIV/0!",
    "num!": "#NUM!", "null!": "#NULL!", "error!": "#ERROR!", "object object": "[object Object]",
    "invalid date": "Invalid Date",
}  # fmt: skip
# People and places, unless they are marked as <NA> is.
_NAMES = frozenset(["Nan", "Nat", "NAT", "Nil", "NIL", "nil", "Na", "NA", "na"])


def says_nothing(text: str) -> str | None:
    """What kind of nothing ``text`` is: ``"empty"``, ``"????"``, ``"None"``, ``"#N/A"`` and so on; else None.

    Empty is text of invisible characters alone. ``"????"`` is what an encoding leaves of letters that it does not have,
    ``"{{ }}"`` a placeholder that nobody filled.
    """
    seen = text.strip() if text.isascii() and text.isprintable() else _visible(text)
    if not seen:
        return "empty"
    if not seen.strip("?\ufffd ") and seen != "?":
        return "????"
    if len(seen) > LONGEST or seen in _NAMES:
        return None
    if seen[:2] == "{{" and seen[-2:] == "}}":
        return "{{ }}"
    bare = seen.strip("<>()[]{}'\"` ")
    if not bare:
        return "empty"
    bare = bare.strip("#.,;").lower()
    first, _, second = bare.partition(" ")
    return _WORDS.get(bare) or (_WORDS.get(first) if second == first else None)


def _visible(text: str) -> str:
    """What is seen of ``text``, blanks between words as one space; of a long text no more than its beginning."""
    seen = ""
    for one in text:
        kind = "L" if one.isalnum() else unicodedata.category(one)
        if kind[0] == "Z" or kind == "Cc":
            seen += "" if seen[-1:] in ("", " ") else " "
        elif kind != "Cf" and one not in _NO_INK and not "\ufe00" <= one <= "\ufe0f":
            seen += one
            if len(seen) > LONGEST and one not in "?\ufffd":
                break
    return seen.strip()


def look(payload: dict[str, Any]) -> list[str]:
    """Warnings about texts that say nothing, each beginning with the path; raises ``Invalid`` for too deep or too wide."""
    return [
        f"{_path(keys)}: says nothing ({kind}), and would be sent so"
        for keys, text in _texts(payload, ())
        if text.strip() and (kind := says_nothing(text))
    ]


def _texts(value: Any, keys: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], str]]:
    if isinstance(value, str):
        yield keys, value
    elif isinstance(value, dict | list | tuple):
        if len(keys) > DEEPEST:
            raise Invalid({_path(keys)[:80]: f"must not be nested deeper than {DEEPEST} levels"})
        if len(value) > MOST_ENTRIES:
            what = f"has {len(value)} entries, at most {MOST_ENTRIES} are allowed"
            raise Invalid({_path(keys) or "payload": what})
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _texts(one, (*keys, key))


def _path(keys: tuple[Any, ...]) -> str:
    return reduce(joined, keys, "")
