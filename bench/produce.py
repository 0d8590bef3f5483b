"""Runs in a peer's environment and queues jobs as its users do; prints one line of JSON.

python -m bench.produce MODULE one N      N jobs, one call each, as fast as it goes
python -m bench.produce MODULE many N     the same through ``enqueue_many``
python -m bench.produce MODULE paced N    N jobs, 15 to 45 ms apart, with the time of each call
python -m bench.produce MODULE versions P...
"""

from __future__ import annotations

import asyncio
import inspect
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable
from importlib import import_module, metadata
from types import ModuleType
from typing import Any

from bench import call

WARM, WARM_PACED = 20, 5


async def _queue(peer: ModuleType, payload: dict[str, Any]) -> str | None:
    given: Any = peer.enqueue(payload)
    if inspect.isawaitable(given):
        given = await given
    return str(given) if given else None


async def _each(peer: ModuleType, count: int) -> None:
    for _ in range(count):
        await _queue(peer, call.payload())


async def _one(peer: ModuleType, count: int) -> dict[str, float]:
    warm = min(WARM, count - 1)
    await _each(peer, warm)
    return await _timed(lambda: _each(peer, count - warm), count - warm)


async def _many(peer: ModuleType, count: int) -> dict[str, float]:
    warm = min(WARM, count - 1)

    async def queue() -> None:
        peer.enqueue_many(call.payload() for _ in range(count - warm))

    await _each(peer, warm)
    return await _timed(queue, count - warm)


async def _timed(work: Callable[[], Awaitable[None]], count: int) -> dict[str, float]:
    started, cpu = time.perf_counter(), time.process_time()
    await work()
    return {
        "count": count,
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - cpu,
    }


async def _paced(peer: ModuleType, count: int) -> dict[str, Any]:
    """Ids with the epoch seconds just before each call, without the first ones, which warm the connection."""
    calls = []
    for number in range(count + WARM_PACED):
        called = time.time()
        marked = call.marked(f"b{number}")
        calls.append((await _queue(peer, marked) or f"b{number}", called))
        await asyncio.sleep(random.uniform(0.015, 0.045))
    return {"calls": calls[WARM_PACED:]}


async def produce(peer: ModuleType, what: str, count: int) -> dict[str, Any]:
    """Open, queue, close."""
    if hasattr(peer, "open"):
        await peer.open()
    try:
        return await {"one": _one, "many": _many, "paced": _paced}[what](peer, count)
    finally:
        if hasattr(peer, "close"):
            await peer.close()


def main(name: str, what: str, *rest: str) -> None:
    if what == "versions":
        print(json.dumps({package: metadata.version(package) for package in rest}))
        return
    print(json.dumps(asyncio.run(produce(import_module(f"bench.peers.{name}"), what, int(rest[0])))))


if __name__ == "__main__":
    main(*sys.argv[1:])
