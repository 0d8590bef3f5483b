"""Beat's scheduler: redbeat's, except that it waits where redbeat would end.

redbeat ends with a traceback when Redis is away for a moment, or when its lock ran out meanwhile and another beat has
taken it; under a runner such as honcho that ends every other process too. This one stands by and tries again.
"""

from __future__ import annotations

import logging
from typing import Any

from redbeat.schedulers import LUA_EXTEND_TO_SCRIPT, RedBeatScheduler, get_redis
from redis.exceptions import LockError, RedisError

log = logging.getLogger(__name__)
AGAIN_SECONDS = 1.0


class Scheduler(RedBeatScheduler):  # type: ignore[misc]
    """``--scheduler worker.beat.Scheduler``."""

    _away = False

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Start what is due; the seconds until the next look."""
        try:
            if not self._active():
                return float(self.max_interval)
            seconds = float(super().tick(*args, **kwargs))
        except LockError:
            log.warning("another beat is active, this one stands by", extra={"action": "beat_stands_by"})
            self.lock = None
            return AGAIN_SECONDS
        except RedisError as error:
            if not self._away:
                name = type(error).__name__
                log.error(
                    "Redis is away: nothing is started until it is back",
                    extra={"action": "beat_waits", "error": name},
                )
            self._away = True
            return AGAIN_SECONDS
        if self._away:
            log.warning("Redis is back", extra={"action": "beat_goes_on"})
        self._away = False
        return seconds

    def _active(self) -> bool:
        """Whether this beat holds the lock; takes it if nobody does."""
        if not self.lock_key or self.lock is not None:
            return True
        client = get_redis(self.app)
        lock = client.lock(self.lock_key, timeout=self.lock_timeout, sleep=self.max_interval)
        lock.lua_extend = client.register_script(LUA_EXTEND_TO_SCRIPT)  # redis-py's own adds to what is left
        if lock.acquire(blocking=False):
            self.lock = lock
        return self.lock is not None

    def close(self) -> None:
        """Give the lock back, if Redis can be told."""
        try:
            super().close()
        except RedisError as error:
            log.warning(
                "the lock runs out by itself", extra={"action": "beat_ends", "error": type(error).__name__}
            )
