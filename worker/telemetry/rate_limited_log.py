"""What is said seldom, however often it happens."""

from __future__ import annotations

import time


class RateLimitedLog:
    """True for a name the first time, and again when ``seconds`` have passed."""

    def __init__(self, seconds: float = 60.0) -> None:
        self._seconds = seconds
        self._said: dict[str, float] = {}

    def __call__(self, name: str) -> bool:
        now = time.monotonic()
        if now - self._said.get(name, -self._seconds) < self._seconds:
            return False
        self._said[name] = now
        return True
