"""What Python and Lua both know. The Lua module ``constants`` is generated from ``TABLES`` (scripts.py)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

Lane = Literal["urgent", "normal", "bulk"]
LANES: tuple[str, ...] = get_args(Lane)
# Upper bounds in milliseconds of the buckets in which durations are counted (worker/web/buckets.py).
BOUNDS = {
    "wait": (50, 250, 1_000, 5_000, 15_000, 60_000, 300_000, 1_800_000, 7_200_000, 86_400_000),
    "call": (50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 20_000),
    "receipt": (1_000, 5_000, 15_000, 60_000, 300_000, 1_800_000, 7_200_000, 86_400_000),
}
AUDIT_MOST = 100_000  # the newest entries of an audit stream are kept
TABLES = {"LANES": LANES, "BOUNDS": BOUNDS, "AUDIT_MOST": AUDIT_MOST}


def as_lua(value: Any) -> str:
    """A table, a list, a number or a plain text as Lua writes it."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"[{key!r}] = {as_lua(item)}" for key, item in value.items()) + "}"
    if isinstance(value, tuple):
        return "{" + ", ".join(map(as_lua, value)) + "}"
    return repr(value)
