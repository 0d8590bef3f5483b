"""Counting calls in sliding windows."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable


def most_in_window(times: Iterable[float], window: float) -> int:
    """The most of ``times`` (seconds, any order) inside any half-open window of ``window`` seconds."""
    recent: deque[float] = deque()
    most = 0
    for time in sorted(times):
        while recent and recent[0] <= time - window:
            recent.popleft()
        recent.append(time)
        most = max(most, len(recent))
    return most
