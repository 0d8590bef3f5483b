"""What the doctor looks at, one subject a module."""

from __future__ import annotations

from typing import Literal, NamedTuple

Mark = Literal["ok", "warning", "failure"]


class Check(NamedTuple):
    """One thing looked at: what was found, and what to mend when it is not ``ok``."""

    name: str
    mark: Mark
    found: str
    mend: str = ""
