"""Waiting for what another thread or process does, however slow the machine is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

Found = TypeVar("Found")


def until(true: Callable[[], Found], seconds: float = 60.0) -> Found:
    """What ``true`` gives once it is true; fails when that takes longer than so many seconds."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.01)
    return found


def until_still(count: Callable[[], Found], quiet: float, seconds: float = 60.0) -> Found:
    """What ``count`` gives once it has not changed for ``quiet`` seconds; fails when that takes longer than so many."""
    began = since = time.monotonic()
    found = count()
    while time.monotonic() - since < quiet:
        assert time.monotonic() - began < seconds + quiet, f"still changing after {seconds} s"
        time.sleep(0.05)
        if (now := count()) != found:
            found, since = now, time.monotonic()
    return found


class Patience:
    """Waits as long as something moves: at most ``still`` seconds without progress, ``most`` seconds in all."""

    def __init__(self, still: float = 60.0, most: float = 1800.0) -> None:
        self.still, self.most = still, most
        self.began = self._moved = time.monotonic()
        self._best: Any = None

    def over(self, left: Any) -> str:
        """Empty while it is worth waiting, then why it is not; ``left`` falls when there is progress."""
        now = time.monotonic()
        if self._best is None or left < self._best:
            self._best, self._moved = left, now
        if now - self._moved > self.still:
            return f"stuck: nothing has moved for {self.still:g} s"
        return f"slow: still moving after {self.most:g} s" if now - self.began > self.most else ""
