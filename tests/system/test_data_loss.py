"""Redis loses its data under living workers, threads and prefork: they register again, and a message by name is kept."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from interakt_jobs import Job, Unregistered, send_text
from interakt_jobs.ledger.keys import CELERY, POISON, prefix
from sandbox.stack import Stack
from tests.waiting import until

from .conftest import QUICK
from .test_intake import message

TEXT: Any = {"countryCode": "+91", "phoneNumber": "9999999999", "type": "Text", "data": {"message": "Hello"}}


@pytest.fixture(scope="module", params=["threads", "prefork"])
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    env = {**QUICK, "INTERAKT_CALLS_PER_MINUTE": "6000", "INTERAKT_WINDOW_SECONDS": "1"}
    with Stack(calls_per_minute=0, env=env) as running:
        running.worker("one", "urgent,normal,bulk,intake", pool=request.param, concurrency=4)
        running.worker("two", "urgent,normal,bulk,intake", pool=request.param, concurrency=4)
        running.wait_for_workers(2)
        yield running


def accepted() -> Job | None:
    try:
        return send_text.delay(TEXT)
    except Unregistered:
        return None


@pytest.mark.parametrize("how", ["FLUSHALL", "an empty folder"])
def test_workers_go_on(stack: Stack, how: str) -> None:
    assert send_text.delay(TEXT).get(timeout=60)["status"] == 201
    identity = uuid.uuid4().hex
    running = {name: process.pid for name, process in stack.processes.items()}
    with Redis.from_url(stack.valkey.url) as redis:
        if how == "FLUSHALL":
            redis.pipeline().flushall().lpush(f"{CELERY}intake", message([TEXT], {}, identity)).execute()
        else:
            stack.valkey.kill()
            shutil.rmtree(Path(stack.valkey.directory) / "appendonlydir")
            stack.valkey.start()
            redis.lpush(f"{CELERY}intake", message([TEXT], {}, identity))
        assert until(accepted).get(timeout=60)["status"] == 201
        until(lambda: redis.exists(f"{prefix('default')}j:{identity}"))
        assert Job(f"ij1.default.{identity}").get(timeout=60)["status"] == 201
        assert redis.xlen(POISON) == 0
        assert redis.hexists(f"{prefix('default')}state", "lost_at")
    assert {
        name: process.pid for name, process in stack.processes.items() if process.poll() is None
    } == running
    told = sum(stack.tail(name, 1_000_000).count('"action": "data_lost"') for name in running)
    assert told, "it is said loudly"
