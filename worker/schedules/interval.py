"""An interval: slots at a start and every so many seconds after it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SPAN = re.compile(r"([1-9]\d{0,6})(s|m|h|d|w)", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


@dataclass(frozen=True, slots=True)
class Interval:
    """``anchor`` is one of the slots, seconds since the epoch; so is every ``seconds`` before and after it."""

    seconds: int
    anchor: int = 0

    def after(self, moment: int) -> int | None:
        """The first slot later than ``moment``."""
        return moment + self.seconds - (moment - self.anchor) % self.seconds

    def latest(self, until: int, since: int) -> int | None:
        """The last slot later than ``since``, and not later than ``until``."""
        slot = until - (until - self.anchor) % self.seconds
        return slot if slot > since else None


def span(text: str) -> int:
    """``90s``, ``15m``, ``12h``, ``7d`` or ``1w`` in seconds; raises ``ValueError``."""
    match = _SPAN.fullmatch(text.strip().lower())
    if not match:
        raise ValueError("must be a span such as 90s, 15m, 12h, 7d or 1w")
    return int(match[1]) * _SECONDS[match[2]]
