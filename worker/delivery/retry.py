"""When to try again: a value with one pure function."""

from __future__ import annotations

from dataclasses import dataclass

from worker.interakt.errors import InteraktError

LONGEST_RETRY_AFTER = 3600.0


@dataclass(frozen=True)
class RetryPolicy:
    """Exponential backoff with full jitter, ``base`` and ``cap`` in seconds; the ledger counts a job's attempts."""

    base: float = 1.0
    cap: float = 300.0

    def delay(self, error: InteraktError, attempt: int, chance: float) -> float | None:
        """Seconds until the next attempt after ``attempt`` (1 for the first), or None when there is none.

        ``chance`` is from 0 up to 1. Interakt's Retry-After is the least that is waited, at most an hour.
        """
        if error.outcome == "refused" and error.scope == "job":
            return None
        jittered = chance * min(self.cap, self.base * 2.0 ** min(max(attempt, 1) - 1, 60))
        if error.retry_after is None:
            return jittered
        return min(max(error.retry_after, 0.0), LONGEST_RETRY_AFTER) + min(jittered, self.base)
