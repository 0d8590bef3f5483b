"""The wake-up we write is the one that Celery's own publish would write."""

from __future__ import annotations

import json
from typing import Any

import pytest
from redis import Redis

from interakt_jobs.ledger.redis_client import RedisClient
from worker.dispatch.message_filter import rebuild
from worker.dispatch.publisher import TASK, Publisher, message

TAILS = ["0" * 32, "c12345678.0.7"]


def without_ids(raw: bytes) -> Any:
    found = json.loads(raw)
    for part, name in (("headers", "id"), ("headers", "root_id"), ("properties", "correlation_id")):
        assert len(found[part].pop(name)) == 32
    assert len(found["properties"].pop("delivery_tag")) == 36
    return found


def test_it_is_the_message_that_kombu_writes(
    link: RedisClient, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", redis_url)
    from worker.app import app

    with (
        app.connection_for_write(redis_url) as connection,
        Redis.from_url(redis_url) as redis,
        app.amqp.Producer(connection) as producer,
    ):
        for lane in ("urgent", "normal", "bulk"):
            prefix = app.conf.broker_transport_options["global_keyprefix"]
            headers = {"lang": "py", "task": TASK, "id": "0" * 32, "root_id": "0" * 32, "ignore_result": True}
            producer.publish(
                ((1, "default", TAILS), {}, {}),
                routing_key=lane,
                exchange="",
                serializer="json",
                headers=headers,
                correlation_id="0" * 32,
            )
            Publisher(link, prefix).wake(lane, "default", TAILS)
            ours, kombus = redis.lrange(f"{prefix}{lane}", 0, -1)
            assert without_ids(ours) == without_ids(kombus)


def test_the_guard_lets_it_through() -> None:
    rebuilt = rebuild(message("urgent", "default", TAILS).encode(), frozenset({TASK}), "urgent")
    assert rebuilt["headers"]["task"] == TASK
