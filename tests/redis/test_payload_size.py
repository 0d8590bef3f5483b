"""A payload has a most size: its caller is told, and a worker refuses what came past him."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import tasks
from interakt_jobs import PayloadError, configure, run_campaign, track_user
from interakt_jobs.errors import NotConfigured
from interakt_jobs.ledger.redis_client import RedisClient
from worker.delivery.attempt import Attempt, RetryPolicy
from worker.delivery.runner import Delivery
from worker.dispatch.heartbeat import Heartbeat
from worker.interakt.client import Client
from worker.ledger.dead_letters import DeadLetters
from worker.ledger.work_ledger import WorkLedger

NUMBER = {"countryCode": "+91", "phoneNumber": "9999999999"}


@pytest.fixture(autouse=True)
def producer(redis_url: str, ledger: WorkLedger) -> Iterator[None]:
    configure(redis_url)
    yield
    configure(None)


def user(size: int, one: str = "x") -> Any:
    """A user whose payload has ``size`` bytes as JSON."""
    payload = {**NUMBER, "traits": {"note": ""}}
    left = size - len(json.dumps(payload, separators=(",", ":")))
    payload["traits"] = {"note": one * (left // len(one.encode()))}
    return payload


def test_a_payload_of_the_most_size_is_taken_and_one_byte_more_is_not() -> None:
    assert track_user.delay(user(262_144)).state == "PENDING"
    with pytest.raises(PayloadError, match=r"payload: is 262,145 bytes as JSON, at most 262,144") as refused:
        track_user.delay(user(262_145))
    assert "INTERAKT_MAX_PAYLOAD_BYTES" in str(refused.value)


def test_bytes_are_counted_and_not_characters() -> None:
    with pytest.raises(PayloadError, match=r"is (299,99\d|300,000) bytes"):
        track_user.delay(user(300_000, "न"))


def test_each_way_in_holds_to_it(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERAKT_MAX_PAYLOAD_BYTES", "2000")
    with pytest.raises(PayloadError, match="at most 2,000"):
        tasks.track_user.delay(user(2_001))
    rows = [{"phone": "9999999999"}] * 200
    with pytest.raises(PayloadError, match="at most 2,000"):
        run_campaign.delay({"definition": "diwali.toml", "recipients": rows})
    good, bad = track_user.delay_many([user(1_999), user(3_000)])
    assert good.job is not None
    assert "3,000 bytes" in str(bad.error)
    configure(redis_url, max_payload_bytes=4_000)
    with pytest.raises(PayloadError, match="at most 4,000"):
        track_user.delay(user(4_001))
    configure(redis_url)
    monkeypatch.setenv("INTERAKT_MAX_PAYLOAD_BYTES", "much")
    with pytest.raises(NotConfigured, match="INTERAKT_MAX_PAYLOAD_BYTES"):
        track_user.delay(user(300))


def test_a_worker_refuses_what_is_larger_and_an_edit_makes_it_fit(
    link: RedisClient, ledger: WorkLedger, accept: Callable[..., str]
) -> None:
    large = {**NUMBER, "type": "Text", "data": {"message": "Hello"}, "campaignId": "9" * 300_000}
    job_key = accept(payload=json.dumps(large))
    ledger.release("dispatcher", {"normal": 5})
    attempt = Attempt(RetryPolicy(base=1, cap=9), keep_seconds=9)
    heartbeat = Heartbeat(link, lease_seconds=30)
    client = Client("http://127.0.0.1:9/", "c2FuZGJveC10b2tlbjo=")
    assert Delivery(ledger, client, attempt, heartbeat, False).deliver([job_key]) == 1
    reading = ledger.read(job_key)
    assert (reading.state, reading.reason) == ("dead", "invalid_payload")
    assert reading.error.startswith("payload: is 300,1")
    letters = DeadLetters(ledger)
    with pytest.raises(PayloadError, match="bytes as JSON"):
        letters.edit(
            job_key,
            {**NUMBER, "data": {"message": "Hello"}, "new": "9" * 300_000},
            allow_unknown=True,
        )
    letters.edit(job_key, {**NUMBER, "data": {"message": "Hello"}})
    assert letters.replay(job_key) == "replayed"
