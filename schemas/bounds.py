"""The first look at a payload: how deep and how wide it is, and which of its texts say nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .invalid import Invalid
from .nothing import says_nothing
from .words import joined

DEEPEST, MOST_ENTRIES = 40, 1000


def look(payload: dict[str, Any]) -> list[str]:
    """Warnings about texts that say nothing, each beginning with the path; raises ``Invalid`` for too deep or too wide."""
    return list(_found(payload, "", 0)) if _is_odd(payload, 0) else []


def _is_odd(value: Any, depth: int) -> bool:
    """The same as whether ``_found`` would find anything, without paths: nearly every payload needs no more."""
    if isinstance(value, str):
        return bool(value.strip() and says_nothing(value))
    if not isinstance(value, dict | list | tuple):
        return False
    if depth > DEEPEST or len(value) > MOST_ENTRIES:
        return True
    return any(_is_odd(one, depth + 1) for one in (value.values() if isinstance(value, dict) else value))


def _found(value: Any, path: str, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        if value.strip() and (kind := says_nothing(value)):
            yield f"{path}: says nothing ({kind}), and would be sent so"
    elif isinstance(value, dict | list | tuple):
        if depth > DEEPEST:
            raise Invalid({path[:80]: f"must not be nested deeper than {DEEPEST} levels"})
        if len(value) > MOST_ENTRIES:
            raise Invalid(
                {path or "payload": f"has {len(value)} entries, at most {MOST_ENTRIES} are allowed"}
            )
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _found(one, joined(path, key), depth + 1)
