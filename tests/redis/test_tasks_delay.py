"""``from tasks import send_image`` inside the checkout: the same ``delay``, with every rule checked before it enqueues."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery import chain, chord, group
from redis import Redis

import tasks
from examples.document import examples
from interakt_jobs import OPERATIONS, PayloadError, configure
from schemas import Invalid

FINE: dict[str, Any] = {
    "countryCode": "+91",
    "phoneNumber": "9999999999",
    "data": {"mediaUrl": "https://example.com/a.jpg"},
}
LONG = {**FINE, "data": {**FINE["data"], "message": "x" * 5000}}


@pytest.fixture(autouse=True)
def redis(redis_url: str) -> Iterator[Redis]:
    configure(redis_url, allow_unregistered=True)
    with Redis.from_url(redis_url, decode_responses=True) as client:
        yield client
    configure(None)


WAYS: dict[str, Callable[[Any], Any]] = {
    "delay": lambda payload: tasks.send_image.delay(payload),
    "args": lambda payload: tasks.send_image.apply_async((payload,)),
    "kwargs": lambda payload: tasks.send_image.apply_async(kwargs={"payload": payload}),
    "signature": lambda payload: tasks.send_image.s(payload).delay(),
    "signature with options": lambda payload: tasks.send_image.s(payload).set(lane="urgent").apply_async(),
}


@pytest.mark.parametrize("way", WAYS)
def test_each_way_to_call_it_checks_every_rule_first(redis: Redis, way: str) -> None:
    with pytest.raises(PayloadError, match="mediaUr"):
        WAYS[way]({**FINE, "data": {"mediaUr": "x"}})
    with pytest.raises(Invalid, match="phoneNumber"):
        WAYS[way]({**FINE, "phoneNumber": "12"})
    assert redis.keys() == []
    job = WAYS[way](FINE)
    assert job.status == "PENDING" and job.read().payload == FINE
    assert job.read().lane == ("urgent" if "options" in way else "normal")


@pytest.mark.parametrize(
    "example", list(examples()), ids=lambda example: f"{example.section} {example.operation}"
)
def test_every_example_of_the_document_is_accepted_as_written(example: Any) -> None:
    job = getattr(tasks, example.operation).delay(example.payload)
    assert job.read().operation == example.operation and job.read().payload == example.payload


def test_the_same_objects_work_both_ways() -> None:
    by_task = tasks.send_image.delay(FINE, idempotency_key="one")
    assert OPERATIONS["send_image"].delay(FINE, idempotency_key="one").id == by_task.id


COMPOSED: dict[str, Callable[[], Any]] = {
    "chain": lambda: chain(tasks.send_image.s(FINE), tasks.send_image.si(FINE)).delay(),
    "link": lambda: tasks.send_image.apply_async((FINE,), link=tasks.send_image.si(FINE)),
    "group": lambda: group([tasks.send_image.s(FINE), tasks.send_image.s(FINE)]).delay(),
    "chord": lambda: chord([tasks.send_image.s(FINE)], tasks.send_image.si(FINE)).delay(),
}


@pytest.mark.parametrize("name", COMPOSED)
def test_celerys_compositions_are_refused_with_the_reason_and_enqueue_nothing(
    redis: Redis, name: str, monkeypatch: pytest.MonkeyPatch, redis_url: str
) -> None:
    monkeypatch.setenv("REDIS_URL", redis_url)
    with pytest.raises(TypeError, match="would do nothing here"):
        COMPOSED[name]()
    assert redis.keys() == []
