"""What the doctor looks at, one subject a module."""

from __future__ import annotations

from typing import Literal, NamedTuple

Mark = Literal["ok", "warning", "failure"]


class Check(NamedTuple):
    """One thing looked at: what was found, and how to fix it when it is not ``ok``."""

    name: str
    mark: Mark
    found: str
    mend: str = ""

    @classmethod
    def of(cls, name: str, good: bool, found: str, mend: str, otherwise: Mark = "failure") -> Check:
        """``ok`` if it is good; else ``otherwise``, with the fix."""
        return cls(name, "ok", found) if good else cls(name, otherwise, found, mend)
