"""The same job twice: by key, by task id, with another payload, after it is gone; ids and times that are none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import interakt_jobs
from interakt_jobs import IdempotencyConflict, InvalidJobId, Job, JobError, NoSuchJob, new_id, send_text
from interakt_jobs.ledger.keys import prefix
from interakt_jobs.ledger.redis_client import RedisClient
from interakt_jobs.testing import recording


def text(words: str) -> Any:
    return {"countryCode": "+91", "phoneNumber": "9999999999", "type": "Text", "data": {"message": words}}


@pytest.fixture(params=["redis", "recorded"])
def producer(request: pytest.FixtureRequest) -> Iterator[None]:
    """The real ledger, and the one that a caller's own tests see."""
    if request.param == "recorded":
        with recording():
            yield
        return
    interakt_jobs.configure(request.getfixturevalue("redis_url"), allow_unregistered=True)
    yield
    interakt_jobs.configure(None)


@pytest.mark.usefixtures("producer")
@pytest.mark.parametrize("mine", ["00000000-0000-7000-8000-000000000001", "order-17", "ij1"])
def test_a_task_id_with_another_payload_is_a_conflict(mine: str) -> None:
    mine = new_id() if mine == "ij1" else mine
    job = send_text.delay(text("one"), task_id=mine)
    assert send_text.delay(text("one"), task_id=mine).id == job.id
    for options in ({}, {"idempotency_key": "a-key"}):
        with pytest.raises(IdempotencyConflict, match="task_id"):
            send_text.delay(text("two"), task_id=mine, **options)
    assert job.read().payload["data"]["message"] == "one"


@pytest.mark.usefixtures("producer")
def test_a_key_whose_job_is_gone_is_a_new_job() -> None:
    first = send_text.delay(text("one"), idempotency_key="order-17")
    first.revoke()
    assert send_text.delay(text("one"), idempotency_key="order-17").id == first.id
    first.forget()
    second = send_text.delay(text("one"), idempotency_key="order-17")
    assert second.id != first.id and second.status == "PENDING"
    assert send_text.delay(text("one"), idempotency_key="order-17").id == second.id
    with pytest.raises(IdempotencyConflict):
        send_text.delay(text("two"), idempotency_key="order-17")


@pytest.fixture
def redis_producer(redis_url: str) -> Iterator[RedisClient]:
    interakt_jobs.configure(redis_url, allow_unregistered=True)
    yield RedisClient(redis_url)
    interakt_jobs.configure(None)


def test_a_task_id_is_known_after_its_job_has_ended(redis_producer: RedisClient) -> None:
    job = send_text.delay(text("one"), task_id="order-18")
    job.revoke()
    assert send_text.delay(text("one"), task_id="order-18").status == "REVOKED"
    with pytest.raises(IdempotencyConflict):
        send_text.delay(text("two"), task_id="order-18")


def test_many_with_keys_whose_jobs_are_gone_are_new(redis_producer: RedisClient) -> None:
    items = [(text("one"), "k1"), (text("two"), "k2")]
    first = list(send_text.delay_many(items))
    assert [each.new for each in send_text.delay_many(items)] == [False, False]
    redis_producer.command("DEL", *(f"{prefix('default')}j:{each.job.job_key}" for each in first if each.job))
    assert [each.new for each in send_text.delay_many(items)] == [True, True]


def test_of_two_in_one_call_with_one_key_the_second_is_the_first(redis_producer: RedisClient) -> None:
    found = list(send_text.delay_many([(text("one"), "k"), (text("one"), "k"), (text("two"), "k")]))
    assert found[0].new and not found[1].new and found[1].job == found[0].job
    assert isinstance(found[2].error, IdempotencyConflict)


@pytest.mark.parametrize("name", ["hello", "", "ij1.default", "ij1.DEFAULT.x", "ij1.default.a b", None, 7])
def test_what_is_no_id_has_a_named_error(name: Any) -> None:
    with pytest.raises(InvalidJobId, match="looks like") as raised:
        Job(name)
    assert isinstance(raised.value, JobError) and isinstance(raised.value, ValueError)


def test_an_id_of_nobody_is_another_matter(redis_producer: RedisClient) -> None:
    with pytest.raises(NoSuchJob):
        _ = Job(new_id()).status


@pytest.mark.parametrize("option", ["eta", "expires"])
def test_a_time_without_a_zone_is_refused(option: str) -> None:
    for naive in (datetime(2030, 1, 1, 10), datetime.now() + timedelta(hours=1)):
        for call in (send_text.delay, lambda payload, **own: send_text.delay_many([payload], **own)):
            with pytest.raises(ValueError, match=f"{option} has no time zone"):
                call(text("one"), **{option: naive})


def test_a_time_with_any_zone_is_that_moment(redis_producer: RedisClient) -> None:
    moment = datetime(2040, 1, 1, 10, tzinfo=ZoneInfo("Asia/Kolkata"))
    due = {send_text.delay(text("one"), eta=eta).read().due for eta in (moment, moment.astimezone(UTC))}
    assert due == {int(moment.timestamp() * 1000)}
