"""arq with aiohttp. It polls: 0.5 s by default, 0.05 s here, to its advantage."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import uvloop
from arq import create_pool
from arq.connections import ArqRedis, RedisSettings

from bench import awaited

asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
pool: ArqRedis


async def send(ctx: dict[str, Any], payload: dict[str, Any]) -> str:
    return await awaited.perform(ctx["session"], payload)


async def startup(ctx: dict[str, Any]) -> None:
    ctx["session"] = awaited.session()


async def shutdown(ctx: dict[str, Any]) -> None:
    await ctx["session"].close()


class WorkerSettings:
    functions = [send]
    on_startup = startup
    on_shutdown = shutdown
    redis_settings = RedisSettings.from_dsn(os.environ["REDIS_URL"])
    poll_delay = 0.05
    max_jobs = int(os.environ.get("BENCH_SLOTS", "20")) // 2


async def open() -> None:
    """Connect; the producer calls it first."""
    global pool
    pool = await create_pool(WorkerSettings.redis_settings)


async def enqueue(payload: dict[str, Any]) -> None:
    await pool.enqueue_job("send", payload)
