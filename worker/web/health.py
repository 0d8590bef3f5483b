"""``/healthz``: the process lives. ``/readyz``: it can take webhooks. ``/metrics``: Prometheus."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from worker.webhooks.buffer import WebhookBuffer
from worker.webhooks.redis_monitor import RedisMonitor

from .metrics import Metrics

# Any of these says that the request came through a proxy, so from outside.
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-proto", "via", "x-real-ip", "cf-connecting-ip")


def routes(intake: WebhookBuffer, guard: RedisMonitor, metrics: Metrics, *, public: bool) -> list[Route]:
    """The routes; unless ``public``, what shows figures is not shown to a request that came through a proxy."""

    def hidden(request: Request) -> bool:
        return not public and any(name in request.headers for name in FORWARDED)

    async def healthz(_: Request) -> Response:
        alive = intake.alive and guard.alive
        return PlainTextResponse("ok" if alive else "a task has ended: restart me", 200 if alive else 503)

    async def readyz(request: Request) -> Response:
        """Ready as long as webhooks can be kept, in Redis or on disk; with ``?strict`` only with Redis."""
        seen = guard.seen
        ready = guard.ready and (seen.redis or "strict" not in request.query_params)
        status = 200 if ready else 503
        if hidden(request):
            return PlainTextResponse("ready" if ready else "not ready", status)
        return JSONResponse(
            {
                "ready": ready,
                "redis": seen.redis,
                "redis_memory": round(seen.memory, 3),
                "spool_bytes": intake.spool.waiting_bytes,
                "spool": guard.disk.ok,
                "secret": guard.has_secret,
                "webhooks_waiting": seen.waiting,
                "oldest_ready_job_seconds": seen.oldest_ms / 1000,
            },
            status,
        )

    async def show_metrics(request: Request) -> Response:
        if hidden(request):
            return PlainTextResponse("no such path", 404)
        return Response(await run_in_threadpool(metrics.text), media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", show_metrics)]
