"""Text from outside as it is shown: it moves no cursor, hides nothing, turns nothing round and makes no line of its own.

Template names, Interakt's words, cells of a file, keys of a payload, raw messages: whoever wrote them may not write to an
operator's terminal.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from typing import Any

JOINERS = "\u200c\u200d"  # invisible, and part of Hindi words and of emoji


def shown(value: object, most: int = 2000) -> str:
    """``value`` on one line of at most ``most`` characters; what a terminal would act on is written as ``\\x1b``."""
    text = str(value)
    rest = f"... ({len(text):,} characters)" if len(text) > most else ""
    return _escaped(text[:most], JOINERS, lambda mark: mark.encode("unicode_escape").decode()) + rest


def as_json(value: Any, indent: int | None = None) -> str:
    """``value`` as JSON that is safe to show, and the same to a machine."""
    text = json.dumps(value, ensure_ascii=False, default=str, indent=indent)
    return _escaped(text, f"{JOINERS}\n", lambda mark: json.dumps(mark)[1:-1])


def _escaped(text: str, kept: str, escape: Callable[[str], str]) -> str:
    if text.isprintable():
        return text
    return "".join(
        mark if mark.isprintable() or mark in kept or unicodedata.category(mark) == "Zs" else escape(mark)
        for mark in text
    )
