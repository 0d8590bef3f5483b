"""Looks at Redis once a second: does it take webhooks, is it getting full, how long do jobs wait; writes counters down."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from interakt_jobs.ledger.constants import LANES
from interakt_jobs.ledger.keys import DEFAULT_ACCOUNT, prefix

from .buffer import WebhookBuffer
from .disk import Disk
from .options import WebSettings
from .streams import Away, Command, Counts, Streams, stream

log = logging.getLogger(__name__)
LOOK_SECONDS, ADOPT_SECONDS, STALE_SECONDS = 1.0, 30.0, 4.0


@dataclass
class Seen:
    """What the last look found; ``at`` is monotonic, ``oldest_ms`` the longest that a job has been due."""

    at: float = -STALE_SECONDS
    takes: bool = False
    memory: float = 0.0
    waiting: int = 0
    oldest_ms: int = 0

    @property
    def redis(self) -> bool:
        """Whether Redis answers and takes what is written."""
        return self.takes and time.monotonic() - self.at < STALE_SECONDS


class RedisMonitor:
    """Diverts webhooks to disk while Redis should take no more."""

    def __init__(self, settings: WebSettings, intake: WebhookBuffer, counts: Counts) -> None:
        self._settings, self._intake, self._counts = settings, intake, counts
        self._accounts = sorted(settings.secrets)
        self._streams = Streams(settings.redis_url)
        self._tasks: list[asyncio.Task[None]] = []
        self.disk = Disk(intake.spool)
        self.has_secret = bool(settings.rcs_secrets) or any(settings.secrets.values())
        self.seen = Seen()

    @property
    def ready(self) -> bool:
        """Whether a webhook that came now would be kept."""
        return self.has_secret and (self.disk.ok or (self.seen.redis and self._intake.direct))

    @property
    def alive(self) -> bool:
        """Whether it still looks."""
        return not any(task.done() for task in self._tasks)

    async def start(self) -> None:
        """Adopt what dead processes left and look once before the first webhook."""
        await self._adopt()
        await self._round()
        self._tasks = [asyncio.create_task(each()) for each in (self._run, self.disk.watch)]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._round()
        await self._streams.close()

    async def _run(self) -> None:
        looks = 0
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            looks += 1
            if looks % ADOPT_SECONDS == 0:
                await self._adopt()
            await self._round()

    async def _adopt(self) -> None:
        try:
            await self._intake.adopt()
        except OSError as error:
            log.error(
                "the spool folder cannot be read",
                extra={"action": "spool_unreadable", "error": type(error).__name__},
            )

    async def _round(self) -> None:
        counted = self._counts.copy()
        self._counts.clear()
        try:
            await self._look()
            refused = await self._streams.run(_added_up(counted)) if counted else []
        except Away:
            self._counts.update(counted)
            return
        if any(isinstance(answer, Exception) for answer in refused):
            self._counts.update(counted)

    async def _look(self) -> None:
        write: Command = ("HINCRBY", f"{prefix(DEFAULT_ACCOUNT)}count", "webhook|taken", 0)
        asked: list[Command] = [("INFO", "memory"), ("TIME",), write]
        for account in self._accounts:
            asked.append(("XLEN", stream(account)))
            asked += [("ZRANGE", f"{prefix(account)}ready:{lane}", 0, 0, "WITHSCORES") for lane in LANES]
        info, clock, wrote, *found = await self._streams.run(asked)
        if isinstance(info, Exception) or isinstance(clock, Exception):
            return
        step = 1 + len(LANES)
        waiting = [length for length in found[::step] if isinstance(length, int)]
        heads = [answer for number, answer in enumerate(found) if number % step]
        now = int(clock[0]) * 1000 + int(clock[1]) // 1000
        self.seen = Seen(
            time.monotonic(),
            isinstance(wrote, int),
            memory_share(info),
            sum(waiting),
            max(_due(heads, now), default=0),
        )
        crowded = self.seen.memory >= self._settings.memory_share or (
            max(waiting, default=0) >= self._settings.stream_most
        )
        if crowded != self._intake.crowded:
            log.warning(
                "Redis should take no more: webhooks go to disk" if crowded else "Redis has room again",
                extra={"action": "webhooks_crowded", "waiting_count": self.seen.waiting},
            )
        self._intake.crowded = crowded
        if crowded:
            self._intake.divert()


def memory_share(info: bytes) -> float:
    """How full Redis is, from ``INFO memory``: 0 to 1, and 0 without a limit."""
    values = dict(line.split(b":", 1) for line in info.splitlines() if b":" in line)
    limit = int(values.get(b"maxmemory", 0))
    return int(values.get(b"used_memory", 0)) / limit if limit else 0.0


def _added_up(counts: Counts) -> list[Command]:
    return [
        ("HINCRBY", f"{prefix(account)}count", f"webhook|{result}", number)
        for (account, result), number in counts.items()
    ]


def _due(heads: Sequence[Any], now: int) -> list[int]:
    return [max(0, now - int(float(head[1]))) for head in heads if isinstance(head, list) and head]
