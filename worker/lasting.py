"""Threads that must live: whatever a turn meets is told, and the next one is taken."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from interakt_jobs.errors import JobError, LedgerRefused
from worker.shutdown import stopping
from worker.telemetry.rate_limited_log import RateLimitedLog

log = logging.getLogger(__name__)
PAUSE_SECONDS = 0.5
_seldom = RateLimitedLog()


def tell(who: str, error: JobError) -> None:
    """Say why something waits, once a minute: loudly when it waits for a person."""
    if _seldom(f"{who} {error}"):
        person = isinstance(error, LedgerRefused)
        extra = {"action": "ledger_refused" if person else "ledger_away", "error": type(error).__name__}
        log.log(logging.CRITICAL if person else logging.WARNING, "%s waits: %s", who, error, extra=extra)


class Lasting(threading.Thread):
    """Takes a ``turn`` after the other until ``over``, then ``leave``; ``turned`` is the monotonic end of the last one."""

    def __init__(
        self,
        name: str,
        turn: Callable[[], object],
        over: Callable[[], bool] = stopping,
        leave: Callable[[], object] = lambda: None,
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._parts = name, turn, over, leave
        self.turned = time.monotonic()

    def run(self) -> None:
        name, turn, over, leave = self._parts
        while not over():
            self._guarded(name, turn)
            self.turned = time.monotonic()
        self._guarded(name, leave)

    @staticmethod
    def _guarded(name: str, action: Callable[[], object]) -> None:
        try:
            action()
        except JobError as error:
            tell(name, error)
            time.sleep(PAUSE_SECONDS)
        except Exception as error:
            if _seldom(f"{name} {type(error).__name__}"):
                extra = {"action": "thread_failed", "error": type(error).__name__}
                log.error("%s failed and goes on", name, extra=extra, exc_info=error)
            time.sleep(PAUSE_SECONDS)

    def anew(self) -> Lasting:
        """Start another in its place."""
        log.critical("%s has ended: it is started anew", self.name, extra={"action": "thread_restarted"})
        found = Lasting(*self._parts)
        found.start()
        return found


class Watch:
    """The lasting threads of a process."""

    def __init__(self) -> None:
        self.threads: list[Lasting] = []

    def start(self, *threads: Lasting) -> None:
        self.threads += threads
        for thread in threads:
            thread.start()

    def look(self) -> None:
        """Start anew what has ended, unless the process ends."""
        if not stopping():
            self.threads = [each if each.is_alive() else each.anew() for each in self.threads]

    def still(self) -> dict[str, int]:
        """By name, for how many milliseconds each has not finished a turn."""
        now = time.monotonic()
        return {each.name: int((now - each.turned) * 1000) for each in self.threads}
