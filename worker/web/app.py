"""The web process as one ASGI application: webhooks by hand, for speed; all else by Starlette."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import AsyncIterator

from starlette.applications import Starlette

from interakt_jobs.ledger.keys import DEFAULT_ACCOUNT
from worker.webhooks.buffer import WebhookBuffer
from worker.webhooks.options import WebSettings
from worker.webhooks.receiver import Receive, Receiver, Scope, Send, looks_like_a_webhook
from worker.webhooks.redis_monitor import RedisMonitor
from worker.webhooks.spool import Spool
from worker.webhooks.streams import Counts

from . import health
from .metrics import Metrics


class App:
    """Raises ``OSError`` when the spool's folder cannot be made."""

    def __init__(self, settings: WebSettings) -> None:
        self.counts: Counts = Counter()
        self.spool = Spool(settings.spool_dir, settings.spool_bytes)
        self.intake = WebhookBuffer(settings.redis_url, self.spool, self.counts)
        self.guard = RedisMonitor(settings, self.intake, self.counts)
        self._receiver = Receiver(settings, self.intake, self.counts)
        metrics = Metrics(settings.redis_url, self.spool)
        routes = health.routes(self.intake, self.guard, metrics, public=settings.public_metrics)
        self._rest = Starlette(routes=routes, lifespan=self._lifespan)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and looks_like_a_webhook(scope):
            await self._receiver.answer(scope, receive, send)
        else:
            await self._rest(scope, receive, send)

    def refuse(self) -> None:
        """Count a connection or a request that was ended before the receiver saw it."""
        self.counts[DEFAULT_ACCOUNT, "refused"] += 1

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        await self.guard.start()
        self.intake.start()
        try:
            yield
        finally:
            await self.intake.stop()
            await self.guard.stop()
