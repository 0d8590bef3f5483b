"""Supervised threads: an error in a turn is logged and the next turn is taken; a thread that ends is started again."""

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
_once_a_minute = RateLimitedLog()


def log_waiting(who: str, error: JobError) -> None:
    """Log once a minute why ``who`` waits; as critical when it waits until a person acts."""
    if _once_a_minute(f"{who} {error}"):
        person = isinstance(error, LedgerRefused)
        extra = {"action": "ledger_refused" if person else "ledger_away", "error": type(error).__name__}
        log.log(logging.CRITICAL if person else logging.WARNING, "%s waits: %s", who, error, extra=extra)


class SupervisedThread(threading.Thread):
    """Calls ``turn`` again and again until ``over``, then ``leave``; ``turned`` is the monotonic end of the last turn."""

    def __init__(
        self,
        name: str,
        turn: Callable[[], object],
        over: Callable[[], bool] = stopping,
        leave: Callable[[], object] = lambda: None,
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._turn, self._over, self._leave = turn, over, leave
        self.turned = time.monotonic()

    def run(self) -> None:
        while not self._over():
            self._guarded(self._turn)
            self.turned = time.monotonic()
        self._guarded(self._leave)

    def _guarded(self, action: Callable[[], object]) -> None:
        try:
            action()
        except JobError as error:
            log_waiting(self.name, error)
            time.sleep(PAUSE_SECONDS)
        except Exception as error:
            if _once_a_minute(f"{self.name} {type(error).__name__}"):
                extra = {"action": "thread_failed", "error": type(error).__name__}
                log.error("%s failed and goes on", self.name, extra=extra, exc_info=error)
            time.sleep(PAUSE_SECONDS)

    def restarted(self) -> SupervisedThread:
        """A new thread in the place of this one, which has ended."""
        log.critical("%s has ended: it is started anew", self.name, extra={"action": "thread_restarted"})
        found = SupervisedThread(self.name, self._turn, self._over, self._leave)
        found.start()
        return found


class Supervisor:
    """The supervised threads of a process."""

    def __init__(self) -> None:
        self.threads: list[SupervisedThread] = []

    def start(self, *threads: SupervisedThread) -> None:
        self.threads += threads
        for thread in threads:
            thread.start()

    def restart_ended(self) -> None:
        if not stopping():
            self.threads = [each if each.is_alive() else each.restarted() for each in self.threads]

    def still(self) -> dict[str, int]:
        """By name, for how many milliseconds each has not finished a turn."""
        now = time.monotonic()
        return {each.name: int((now - each.turned) * 1000) for each in self.threads}
