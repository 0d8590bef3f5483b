"""``delay_many`` streams: constant memory, a result an item as it goes, and the same jobs when it is repeated."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis

from interakt_jobs import configure, send_text
from interakt_jobs.ledger.keys import prefix
from sandbox.stack import ROOT

TEXT = {"countryCode": "+91", "phoneNumber": "9999999999", "data": {"message": "hello"}}
READY = f"{prefix('default')}ready:bulk"
STREAM = """
import resource, sys
from interakt_jobs import configure, send_text
configure(sys.argv[1], allow_unregistered=True)
text = {"countryCode": "+91", "phoneNumber": "9999999999"}

def items(number):
    for n in range(number):
        yield {**text, "data": {"message": f"{n:06} " + "x" * 2000}}, f"key-{n}"

def most():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

sum(1 for _ in send_text.delay_many(items(2000)))
before = most()
handled = sum(item.position + 1 for item in send_text.delay_many(items(50_000)))
print(handled, most() - before)
"""


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    configure(redis_url, allow_unregistered=True)
    with Redis.from_url(redis_url, decode_responses=True) as client:
        yield client
        client.flushall()
    configure(None)


def test_fifty_thousand_need_no_more_memory_than_two_thousand(redis: Redis, redis_url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STREAM, redis_url], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    handled, kilobytes = map(int, done.stdout.split())
    assert handled == 50_000 * 50_001 // 2 and redis.zcard(READY) == 50_000
    assert kilobytes < 3000  # the payloads alone are 100 MB


def test_it_reads_a_chunk_ahead_and_no_more(redis: Redis) -> None:
    read = 0

    def items() -> Iterator[Any]:
        nonlocal read
        for _ in range(1000):
            read += 1
            yield dict(TEXT)

    found = send_text.delay_many(items(), chunk=50)
    assert read == 0 and redis.zcard(READY) == 0
    first = next(found)
    assert (first.position, first.new, read, redis.zcard(READY)) == (0, True, 50, 50)
    del found
    assert redis.zcard(READY) == 50


def test_progress_is_told_after_each_chunk(redis: Redis) -> None:
    told: list[int] = []
    items = [dict(TEXT) for _ in range(120)]
    items[7] = {"phone": "x"}
    assert len(list(send_text.delay_many(items, progress=told.append, chunk=50))) == 120  # type: ignore[arg-type]
    assert told == [50, 100, 120]


def test_a_call_that_broke_off_is_repeated_with_its_keys_and_makes_each_job_once(redis: Redis) -> None:
    def items(most: int) -> Iterator[Any]:
        for number in range(500):
            if number == most:
                raise OSError("the file ends here")
            yield {**TEXT, "callbackData": str(number)}, f"row-{number}"

    first = []
    with pytest.raises(OSError, match="the file ends"):
        for item in send_text.delay_many(items(330), chunk=100):
            first.append(item)
    again = list(send_text.delay_many(items(500), chunk=100))
    assert [item.job for item in again[: len(first)]] == [item.job for item in first]
    assert [item.new for item in again] == [number >= len(first) for number in range(500)]
    assert redis.zcard(READY) == 500 == len({item.job.id for item in again if item.job})


def test_options_hold_for_every_item(redis: Redis) -> None:
    words: dict[str, Any] = {"on_done": "shop.told", "on_done_queue": "shop", "countdown": 60, "expires": 300}
    for item in send_text.delay_many(
        [dict(TEXT)] * 3, lane="normal", max_attempts=2, repeat="always", **words
    ):  # type: ignore[list-item]
        assert item.job is not None
        reading = item.job.read()
        assert (reading.lane, reading.state, reading.max_attempts, reading.repeat) == (
            "normal",
            "waiting",
            2,
            "always",
        )
        assert reading.options == {"on_done": "shop.told", "on_done_queue": "shop"}
        assert reading.expires - reading.due == 300_000


def test_what_was_dropped_unread_is_told(redis: Redis) -> None:
    with pytest.warns(RuntimeWarning, match="nothing was enqueued"):
        send_text.delay_many([dict(TEXT)])  # type: ignore[list-item]
    assert redis.keys() == []


WRONG: list[dict[str, Any]] = [
    {"lane": "slow"},
    {"chunk": 0},
    {"countdown": -1},
    {"countdown": 1e14},
    {"on_done": 5},
    {"account": "Brand B"},
    {"link": "x"},
    {"idempotency_key": "one"},
]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_option_is_told_before_anything_is_read(redis: Redis, wrong: dict[str, Any]) -> None:
    def items() -> Iterator[Any]:
        raise AssertionError("was read")
        yield

    with pytest.raises((TypeError, ValueError)):
        send_text.delay_many(items(), **wrong)
