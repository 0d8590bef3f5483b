"""Beat's scheduler: redbeat's, except that it waits where redbeat would end, and that its schedules are ours.

redbeat ends with a traceback when Redis is away or refuses for a moment, or when its lock ran out meanwhile and another
beat has taken it; under a runner such as honcho that ends every other process too. This one stands by and tries again. It
looks at the schedules of ``worker.schedules``, by Redis's clock; the active beat installs those of the file.
"""

from __future__ import annotations

import contextlib
import logging
import uuid
from typing import Any, ClassVar

from redbeat.schedulers import LUA_EXTEND_TO_SCRIPT, RedBeatScheduler, get_redis
from redis.exceptions import LockError

from config.settings import SettingsError
from config.settings import load as load_settings
from interakt_jobs.ledger.redis_client import RedisClient
from interakt_jobs.ledger.redis_errors import FAILURES, explain
from interakt_jobs.ledger.redis_url import plain

from .dispatch.publisher import Publisher
from .schedules import static
from .schedules.entry import MOST_SECONDS
from .schedules.entry import Entry as SlotEntry
from .schedules.errors import ScheduleError
from .schedules.store import INDEX, Schedules
from .telemetry import logs, sentry

log = logging.getLogger(__name__)
AGAIN_SECONDS = 1.0


class Scheduler(RedBeatScheduler):  # type: ignore[misc]
    """``--scheduler worker.beat.Scheduler``."""

    Entry = SlotEntry
    _away = False
    _installed = False

    def __init__(self, app: Any, *args: Any, **kwargs: Any) -> None:
        """Read the settings and the file of schedules before Celery stumbles over one of them; mistakes end beat."""
        try:
            settings = load_settings(keys=False)
            self._file = static.load(settings.schedule_file)
        except (SettingsError, ScheduleError) as error:
            raise SystemExit(f"beat cannot start, its settings or schedules are wrong:\n{error}") from None
        link = RedisClient(settings.redis_url, timeout=10, connect_timeout=3)
        self._schedules = Schedules(link)
        logs.start(settings)
        sentry.start(settings)
        # not in config.celery, from where `celery report` would print it with its password
        app.conf.redbeat_redis_url = plain(settings.redis_url)
        super().__init__(app, *args, **kwargs)
        self._publisher = Publisher(link, app.conf.broker_transport_options["global_keyprefix"])

    def setup_schedule(self) -> None:
        """Nothing of Celery's own: what is in the file is installed once this beat is the active one."""

    @property
    def schedule(self) -> dict[str, SlotEntry]:
        """The schedules that are due before the next look."""
        now = self._schedules.now()
        client = get_redis(self.app)
        found = {}
        for key in client.zrangebyscore(INDEX, 0, now + self.max_interval):
            try:
                entry = SlotEntry.from_key(key, self.app)
            except KeyError:
                log.error("a schedule cannot be read", extra={"action": "schedule_unreadable", "key": key})
                client.zadd(INDEX, {key: now + MOST_SECONDS}, xx=True)
                continue
            entry.now = now
            found[entry.name] = entry
        return found

    def _install(self) -> None:
        """Put the schedules of the file into Redis, once this beat is the active one."""
        if not self._installed:
            for name in static.install(self._schedules, self._file):
                log.info("schedule of the file", extra={"action": "schedule_installed", "schedule": name})
            self._installed = True

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Start what is due; the seconds until the next look."""
        try:
            if not self._active():
                self._installed = False
                return float(self.max_interval)
            self._install()
            seconds = float(super().tick(*args, **kwargs))
        except LockError:
            log.warning("another beat is active, this one stands by", extra={"action": "beat_stands_by"})
            self.lock, self._installed = None, False
            return AGAIN_SECONDS
        except Exception as error:  # noqa: BLE001  whatever one look meets, the next may not
            self._wait_out(error)
            return AGAIN_SECONDS
        if self._away:
            log.warning("Redis is back", extra={"action": "beat_goes_on"})
        self._away = False
        return seconds

    def _wait_out(self, error: Exception) -> None:
        """Say once why nothing is started, and connect anew: a server that was demoted keeps its connections."""
        if not self._away:
            why = explain(error) if isinstance(error, FAILURES) else str(error)
            log.error("beat waits: %s", why, extra={"action": "beat_waits", "error": type(error).__name__})
        self._away = True
        with contextlib.suppress(*FAILURES):
            get_redis(self.app).connection_pool.disconnect()

    def apply_async(self, entry: Any, producer: Any = None, advance: bool = True, **_: Any) -> None:
        """Ask a worker for the slot, over the ledger's connection: it finds the primary again by itself."""
        if advance:
            entry = self.reserve(entry)
        self._publisher.intake(entry.task, uuid.uuid4().hex, entry.args)

    _maybe_due_kwargs: ClassVar[dict[str, Any]] = {}  # no producer: it would keep a connection of its own

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
        """Give the lock back, unless Redis is away."""
        try:
            super().close()
        except FAILURES as error:
            log.warning(
                "the lock runs out by itself", extra={"action": "beat_ends", "error": type(error).__name__}
            )
