"""Which account may have one more of this process's threads: a call that hangs cannot be taken back."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from typing import NamedTuple

from interakt_jobs.ledger.constants import LANES

MOST_WAITING, FORGET_SECONDS = 1000, 10.0


class Turn(NamedTuple):
    """A wake-up: these jobs of an account, and when it came."""

    account: str
    lane: str
    job_keys: list[str]
    came: float


class ThreadShares:
    """Admits wake-ups to the ``slots`` threads; one that is refused waits here for a thread that ends.

    Of several ``accounts`` one takes a thread of a lane only while more are idle than it holds there, so that calls that
    hang leave half to the others. The last quarter takes only accounts that hold none, and where ``urgent`` is served
    only urgent jobs. What waits too long the ledger releases again.
    """

    def __init__(self, accounts: int) -> None:
        self.slots, self.urgent, self._accounts = 1, False, accounts
        self._held: Counter[tuple[str, str]] = Counter()
        self._waiting: deque[Turn] = deque(maxlen=MOST_WAITING)
        self._lock = threading.Lock()

    def take(self, turn: Turn) -> bool:
        """Whether it may run now; if so, its thread is given back with ``done``."""
        with self._lock:
            if self._may(turn):
                self._held[turn.account, turn.lane] += 1
                return True
            self._waiting.append(turn)
            return False

    def done(self, turn: Turn) -> Turn | None:
        """Give a thread back; returns the wake-up that may run on it, urgent first."""
        with self._lock:
            self._held[turn.account, turn.lane] -= 1
            while self._waiting and time.monotonic() - self._waiting[0].came > FORGET_SECONDS:
                self._waiting.popleft()
            found = next(
                (each for lane in LANES for each in self._waiting if each.lane == lane and self._may(each)),
                None,
            )
            if found:
                self._waiting.remove(found)
                self._held[found.account, found.lane] += 1
            return found

    def must_yield(self, turn: Turn) -> bool:
        """Whether another account that holds less of the lane waits here: then this one takes no further job."""
        if not self._waiting:
            return False
        with self._lock:
            ours = self._held[turn.account, turn.lane]
            return any(
                each.lane == turn.lane and self._held[each.account, each.lane] < ours
                for each in self._waiting
            )

    def _may(self, turn: Turn) -> bool:
        idle = self.slots - self._held.total()
        held = self._held[turn.account, turn.lane]
        if idle > self.slots - max(1, self.slots * 3 // 4):
            return self._accounts == 1 or held < idle
        return idle > 0 and (turn.lane == "urgent" or not self.urgent) and (self._accounts == 1 or not held)
