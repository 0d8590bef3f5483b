"""taskiq with its list broker, Redis results and aiohttp."""

from __future__ import annotations

import os
from typing import Any

import aiohttp
from taskiq import TaskiqEvents, TaskiqState
from taskiq_redis import ListQueueBroker, RedisAsyncResultBackend

from bench import awaited

broker = ListQueueBroker(os.environ["REDIS_URL"]).with_result_backend(
    RedisAsyncResultBackend(os.environ["REDIS_URL"], result_ex_time=3600)
)
session: aiohttp.ClientSession


@broker.on_event(TaskiqEvents.WORKER_STARTUP)
async def startup(state: TaskiqState) -> None:
    global session
    session = awaited.session()


@broker.on_event(TaskiqEvents.WORKER_SHUTDOWN)
async def shutdown(state: TaskiqState) -> None:
    await session.close()


@broker.task
async def send(payload: dict[str, Any]) -> str:
    return await awaited.perform(session, payload)


async def open() -> None:
    """Connect; the producer calls it first."""
    await broker.startup()


async def close() -> None:
    await broker.shutdown()


async def enqueue(payload: dict[str, Any]) -> None:
    await send.kiq(payload)
