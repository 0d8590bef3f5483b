"""Whether the spool's disk takes webhooks, found out by writing to it once a second."""

from __future__ import annotations

import asyncio
import logging
import time

from worker.telemetry.rate_limited_log import RateLimitedLog

from .spool import Spool, SpoolFull

log = logging.getLogger(__name__)
LOOK_SECONDS, STALE_SECONDS = 1.0, 4.0


class Disk:
    """``watch`` never ends; a disk that hangs is not ``ok`` after a few seconds."""

    def __init__(self, spool: Spool) -> None:
        self._spool, self._seldom = spool, RateLimitedLog()
        self._at = -STALE_SECONDS

    @property
    def ok(self) -> bool:
        return time.monotonic() - self._at < STALE_SECONDS

    async def watch(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self._spool.try_out)
                self._at = time.monotonic()
            except (SpoolFull, OSError) as error:
                self._at = -STALE_SECONDS
                if self._seldom("unusable"):
                    log.error(
                        "the webhook spool takes nothing: free its disk, or change INTERAKT_SPOOL_DIR",
                        extra={"action": "spool_unusable", "error": type(error).__name__},
                    )
            await asyncio.sleep(LOOK_SECONDS)
