"""How many threads are of use: Little's law with one GIL.

Idle threads cost more than the ledger, so their number follows the latency: with ``cpu`` seconds of CPU a job and
``latency`` seconds on the wire, ``1 + latency / cpu`` threads keep one core busy.
"""

from __future__ import annotations

import math
import time

LEAST, START = 3, 4
WINDOW_SECONDS = 5.0


class ConcurrencyTuner:
    """Watches calls and says how many jobs the process wants in flight, at most ``slots``.

    ``fixed`` above 0 is said instead: a prefork parent does not see its children's calls.
    """

    def __init__(self, slots: int) -> None:
        self.slots = max(1, slots)
        self.fixed = 0
        self._cpu = 0.0
        self._quickest, self._since = math.inf, 0.0
        self._last = math.inf
        self._last_wanted = -1

    def measured(self, wall: float, cpu: float) -> None:
        """One call took ``wall`` seconds and ``cpu`` seconds of this thread."""
        self._cpu = cpu if self._cpu == 0 else 0.98 * self._cpu + 0.02 * cpu
        now = time.monotonic()
        if now - self._since > WINDOW_SECONDS:
            self._last, self._quickest, self._since = self._quickest, wall, now
        elif wall < self._quickest:
            self._quickest = wall

    def want(self, hanging: int = 0) -> int:
        """Jobs in flight that are of use now; ``hanging`` calls are stuck and count for nothing."""
        if self.fixed:
            self._last_wanted = self.fixed
            return self.fixed
        latency = min(self._quickest, self._last)
        if math.isinf(latency):
            wanted = START
        else:
            # a call's own CPU is a third of what a job costs besides
            wanted = max(
                LEAST, math.ceil(1 + max(0.0, latency - self._cpu) / max(0.0005, 2.5 * self._cpu)) + 1
            )
        self._last_wanted = min(self.slots, wanted + hanging)
        return self._last_wanted

    def changed(self, hanging: int = 0) -> bool:
        before = self._last_wanted
        return self.want(hanging) != before
