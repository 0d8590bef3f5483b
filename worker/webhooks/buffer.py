"""Keeps webhooks safe before they are answered: in Redis while it can take them, else on disk, and in order.

While anything waits on disk, all that is new goes there too, until that is replayed. What arrives while one batch is
being kept is the next batch: one round trip, or one sync of the disk, for all of it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from worker.telemetry.rate_limited_log import RateLimitedLog

from .raw_webhook import RawWebhook
from .spool import Spool, SpoolFull
from .streams import Away, Counts, Streams

log = logging.getLogger(__name__)
MOST_WEBHOOKS, MOST_BYTES = 500, 2 << 20
WAITING_BYTES = 64 << 20
# Interakt waits three seconds (interakt-api 6).
ANSWER_SECONDS = 2.5
RETRY_SECONDS = 0.5
Kept = asyncio.Future[bool]


class WebhookBuffer:
    """``keep`` is for the receiver; ``crowded`` is set by the guard when Redis should take no more."""

    def __init__(self, redis_url: str, spool: Spool, counts: Counts) -> None:
        self.spool, self._counts = spool, counts
        self._direct_streams, self._drain_streams = Streams(redis_url), Streams(redis_url)
        self._writer_thread = ThreadPoolExecutor(1, "spool-write")
        self._reader_thread = ThreadPoolExecutor(1, "spool-read")
        self._waiting: deque[tuple[RawWebhook, Kept]] = deque()
        self._waiting_bytes = 0
        self._deadlines: deque[tuple[float, Kept]] = deque()
        self._work = asyncio.Event()
        self._indirect = asyncio.Event()
        self._indirect.set()
        self._tasks: list[asyncio.Task[None]] = []
        self._seldom = RateLimitedLog()
        self._busy = self._spooling = False
        self.crowded = False

    @property
    def alive(self) -> bool:
        """Whether what keeps and replays webhooks still runs."""
        return not any(task.done() for task in self._tasks)

    @property
    def direct(self) -> bool:
        """Whether webhooks go straight to Redis."""
        return not self._indirect.is_set()

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(each()) for each in (self._write, self._drain, self._expire)]

    async def stop(self) -> None:
        """Keep what has arrived, then stop; what waits on disk stays there for the next process."""
        for _ in range(60):
            if not self._waiting and not self._busy:
                break
            await asyncio.sleep(0.05)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for thread in (self._writer_thread, self._reader_thread):
            thread.shutdown(wait=True)
        self.spool.close()
        await self._direct_streams.close()
        await self._drain_streams.close()

    def keep(self, webhook: RawWebhook) -> Kept:
        """Done with True when the webhook is safe, with False when it could not be kept."""
        loop = asyncio.get_running_loop()
        kept: Kept = loop.create_future()
        if self._waiting_bytes + len(webhook.body) > WAITING_BYTES:
            kept.set_result(False)
            return kept
        self._waiting.append((webhook, kept))
        self._waiting_bytes += len(webhook.body)
        self._deadlines.append((loop.time() + ANSWER_SECONDS, kept))
        self._work.set()
        return kept

    def divert(self) -> None:
        """From now on to disk, until all of that is replayed."""
        self._indirect.set()

    def _batch(self) -> list[tuple[RawWebhook, Kept]]:
        batch: list[tuple[RawWebhook, Kept]] = []
        size = 0
        while self._waiting and len(batch) < MOST_WEBHOOKS and size < MOST_BYTES:
            batch.append(self._waiting.popleft())
            size += len(batch[-1][0].body)
        self._waiting_bytes -= size
        return batch

    async def _write(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            while self._waiting:
                self._busy = True
                batch = self._batch()
                try:
                    await self._keep_batch(batch)
                except Exception as error:  # noqa: BLE001  the writer must outlive what one batch meets
                    log.error(
                        "webhooks not kept", extra={"action": "intake_failed", "error": type(error).__name__}
                    )
                    _answer(batch, False)
                finally:
                    self._busy = False

    async def _keep_batch(self, batch: list[tuple[RawWebhook, Kept]]) -> None:
        if self.direct:
            refused = await self._to_redis([webhook for webhook, _ in batch])
            if not refused:
                _answer(batch, True)
                self._tell("taken", (webhook for webhook, _ in batch))
                return
            self.divert()
            left = {id(webhook) for webhook in refused}
            taken = [pair for pair in batch if id(pair[0]) not in left]
            batch = [pair for pair in batch if id(pair[0]) in left]
            _answer(taken, True)
            self._tell("taken", (webhook for webhook, _ in taken))
        kept = await self._to_disk([webhook for webhook, _ in batch])
        _answer(batch, kept)
        self._tell("spooled" if kept else "full", (webhook for webhook, _ in batch))

    def _tell(self, result: str, webhooks: Iterable[RawWebhook]) -> None:
        for account, number in Counter(webhook.account for webhook in webhooks).items():
            self._counts[account, result] += number

    async def _to_redis(self, webhooks: Sequence[RawWebhook]) -> Sequence[RawWebhook]:
        try:
            refused = await self._direct_streams.append(webhooks)
        except Away as error:
            if self._seldom("away"):
                log.warning("webhooks go to disk: %s", error, extra={"action": "webhooks_spooled"})
            return webhooks
        if refused and self._seldom("refused"):
            why = self._direct_streams.refusal
            log.error("webhooks go to disk: %s", why, extra={"action": "webhooks_spooled"})
        return refused

    async def _to_disk(self, webhooks: Sequence[RawWebhook]) -> bool:
        self._spooling = True
        try:
            await asyncio.get_running_loop().run_in_executor(self._writer_thread, self.spool.append, webhooks)
        except (SpoolFull, OSError) as error:
            if self._seldom("lost"):
                log.critical(
                    "webhooks are refused: neither Redis nor the disk takes them",
                    extra={"action": "webhooks_refused", "error": type(error).__name__},
                )
            return False
        finally:
            self._spooling = False
        return True

    async def adopt(self) -> None:
        """Take over what dead processes left on disk."""
        waiting = await asyncio.get_running_loop().run_in_executor(self._reader_thread, self.spool.adopt)
        if waiting:
            log.info("adopted a spool", extra={"action": "spool_adopted", "bytes": waiting})
            self.divert()

    async def _drain(self) -> None:
        while True:
            await self._indirect.wait()
            try:
                if self.crowded or not await self._replay():
                    await asyncio.sleep(RETRY_SECONDS)
            except Exception as error:  # noqa: BLE001  the spool must be replayed one day, whatever one try meets
                if self._seldom("unreadable"):
                    log.error(
                        "the webhook spool cannot be replayed",
                        extra={"action": "spool_unreadable", "error": type(error).__name__},
                    )
                await asyncio.sleep(RETRY_SECONDS)

    async def _replay(self) -> bool:
        """Move one batch from disk to Redis, or, when there is none, go direct again; False when Redis cannot."""
        loop = asyncio.get_running_loop()
        webhooks = await loop.run_in_executor(self._reader_thread, self.spool.head)
        try:
            if webhooks:
                if await self._drain_streams.append(webhooks):
                    return False
                await loop.run_in_executor(self._reader_thread, self.spool.taken)
                self._tell("replayed", webhooks)
            else:
                await self._drain_streams.run([("PING",)])
        except Away:
            return False
        # Nothing awaited in between: no batch can slip to the disk after this was looked at.
        if not webhooks and not self._spooling and self.spool.empty:
            self._indirect.clear()
            log.info("webhooks go to Redis", extra={"action": "webhooks_direct"})
        return True

    async def _expire(self) -> None:
        """A late answer is a failure to Interakt: say so in time."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(0.25)
            while self._deadlines and (self._deadlines[0][1].done() or self._deadlines[0][0] < loop.time()):
                kept = self._deadlines.popleft()[1]
                if not kept.done():
                    kept.set_result(False)


def _answer(batch: Sequence[tuple[RawWebhook, Kept]], kept: bool) -> None:
    for _, future in batch:
        if not future.done():
            future.set_result(kept)
