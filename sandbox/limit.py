"""The rate limit, without slack, and a meter of what arrived."""

from __future__ import annotations

from collections import deque


class Limiter:
    """At most ``limit`` calls in any ``window`` seconds (sliding) or each aligned one (fixed); 0: no limit.

    Refused calls do not count. The sliding window is half open: a call made exactly ``window`` seconds
    ago has left it.
    """

    def __init__(self, limit: int, window: float, kind: str) -> None:
        self.limit, self.window, self.kind = limit, window, kind
        self._allowed: deque[float] = deque()
        self._frame, self._used = -1, 0

    def take(self, now: float) -> float:
        """Count one call at ``now`` (seconds): 0.0 when it is allowed, else the seconds until one will be."""
        if not self.limit:
            return 0.0
        return self._fixed(now) if self.kind == "fixed" else self._sliding(now)

    def _sliding(self, now: float) -> float:
        allowed = self._allowed
        while allowed and allowed[0] <= now - self.window:
            allowed.popleft()
        if len(allowed) < self.limit:
            allowed.append(now)
            return 0.0
        return max(1e-6, allowed[0] + self.window - now)

    def _fixed(self, now: float) -> float:
        frame = int(now // self.window)
        if frame != self._frame:
            self._frame, self._used = frame, 0
        if self._used < self.limit:
            self._used += 1
            return 0.0
        return max(1e-6, (frame + 1) * self.window - now)


class Meter:
    """The most calls seen in any sliding window, refused ones included, and how many came above the limit."""

    def __init__(self, limit: int, window: float) -> None:
        self.limit, self.window = limit, window
        self.peak = self.over = self.calls = 0
        self._recent: deque[float] = deque()

    def add(self, now: float) -> None:
        """Count a call that arrived at ``now`` (seconds)."""
        recent = self._recent
        while recent and recent[0] <= now - self.window:
            recent.popleft()
        recent.append(now)
        self.calls += 1
        if len(recent) > self.peak:
            self.peak = len(recent)
        if self.limit and len(recent) > self.limit:
            self.over += 1
