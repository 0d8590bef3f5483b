"""What redbeat's scheduler sees of a schedule: when to ask a worker for the slot that is due, and when to ask again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from redbeat.schedulers import RedBeatSchedulerEntry, get_redis
from redis.exceptions import ResponseError

from interakt_jobs.ledger.redis_errors import explain

from .errors import ScheduleError
from .store import INDEX, PREFIX, Stored, load, stored

TASK, ASK = "interakt.tick", load("ask")
LEAST_SECONDS, FIRST_SECONDS, MOST_SECONDS = 2, 10, 600
SOON = 0.001  # Celery takes 0 for "nothing is due"


class Entry(RedBeatSchedulerEntry):  # type: ignore[misc]
    """One schedule at one look. A slot is asked for again while no worker has marked it, less and less often."""

    found: Stored
    now = 0.0

    @classmethod
    def from_key(cls, key: str, app: Any = None) -> Entry:
        """Read a schedule; raises ``KeyError`` for one that is gone or cannot be read."""
        name = key.removeprefix(PREFIX)
        fields = get_redis(app).hgetall(key)
        try:
            found = stored(name, fields)
        except (ScheduleError, ValueError, KeyError):
            raise KeyError(key) from None
        except ResponseError as error:
            if explain(error).word != "WRONGTYPE":
                raise
            raise KeyError(key) from None
        made = cls(name=name, task=TASK, args=[name], schedule=timedelta(days=1), app=app)
        made.found = found
        return made

    @property
    def key(self) -> str:
        return f"{PREFIX}{self.name}"

    def is_due(self) -> tuple[bool, float]:
        """Whether to ask now, and seconds until it may be the next time."""
        at = self._ask_at()
        if at is None:
            return False, float(MOST_SECONDS)
        return at <= self.now, max(SOON, at - self.now)

    def _ask_at(self) -> float | None:
        slot = self.found.due()
        if slot is None:
            return None
        asked, _, at = self.found.asked.partition(":")
        return self._again(slot, float(at)) if asked == str(slot) else slot

    def _again(self, slot: int, at: float) -> float:
        """When to ask again for a slot that was asked for at ``at``; a newer slot that is due comes before."""
        late = min(MOST_SECONDS, max(FIRST_SECONDS, at - slot))
        newer = self.found.schedule.after(int(at))
        return min(at + late, max(at + LEAST_SECONDS, newer)) if newer is not None else at + late

    def _next_instance(self, last_run_at: Any = None, only_update_last_run_at: bool = False) -> Entry:
        """Note, before the message goes out, that the slot is asked for."""
        slot = self.found.due() or 0
        again = self._again(slot, self.now)
        get_redis(self.app).eval(ASK.text, 2, self.key, INDEX, f"{slot}:{self.now:.3f}", again)
        return self

    __next__ = next = _next_instance
