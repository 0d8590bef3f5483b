"""The chaos oracle reads Redis at one moment, and waits for as long as there is progress."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest
import redis

from interakt_jobs.ledger.keys import CELERY, prefix
from tests.chaos.load import Load
from tests.chaos.state import Reader, sort_out
from tests.waiting import Patience

JOBS = 400


@pytest.fixture
def direct(redis_url: str) -> Any:
    return redis.Redis.from_url(redis_url, decode_responses=True)


def test_a_job_that_moves_while_it_looks_is_in_one_place(redis_url: str, direct: Any) -> None:
    job_keys = [f"t{number}" for number in range(JOBS)]
    direct.zadd(f"{prefix('default')}ready:bulk", dict.fromkeys(job_keys, 1))
    direct.mset(
        {f"{prefix('default')}j:{job_key}": "2|send_text|cr|bulk|1|0|never\n\n{}" for job_key in job_keys}
    )
    over = threading.Event()

    def move() -> None:
        mover, here, there = redis.Redis.from_url(redis_url), "ready:bulk", "held"
        while not over.is_set():
            for job_key in job_keys:
                pipe = mover.pipeline()
                pipe.zrem(f"{prefix('default')}{here}", job_key)
                pipe.zadd(f"{prefix('default')}{there}", {job_key: 1})
                pipe.execute()
            here, there = there, here

    moving = threading.Thread(target=move)
    moving.start()
    reader = Reader(redis_url)
    try:
        snapshots = [reader.snapshot(job_keys) for _ in range(20)]
    finally:
        over.set()
        moving.join()
    assert {len(job.places) for found in snapshots for job in found.jobs.values()} == {1}
    assert {place for found in snapshots for job in found.jobs.values() for place in job.places} == {
        "ready:bulk",
        "held",
    }


def test_it_waits_while_jobs_end(redis_url: str, direct: Any) -> None:
    direct.zadd(f"{prefix('default')}ready:normal", {f"t{number}": number for number in range(JOBS)})

    def end_them() -> None:
        other = redis.Redis.from_url(redis_url)
        for number in range(JOBS):
            other.zrem(f"{prefix('default')}ready:normal", f"t{number}")
            time.sleep(0.001)

    ending = threading.Thread(target=end_them)
    ending.start()
    assert Reader(redis_url).settle_down() == ""
    assert not direct.exists(f"{prefix('default')}ready:normal")
    ending.join()


def test_an_hour_is_waited_while_a_job_ends_each_minute_and_no_longer_than_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr("tests.waiting.time", SimpleNamespace(monotonic=lambda: now[0]))
    patience = Patience(still=61, most=3600)
    for left in range(60, 0, -1):
        assert not patience.over(left)
        now[0] += 60
    assert not patience.over(0)
    now[0] += 1
    assert patience.over(0) == "slow: still moving after 3600 s"
    now[0] += 61
    assert patience.over(0) == "stuck: nothing has moved for 61 s"


def test_what_stands_still_is_stuck_and_what_moves_for_too_long_is_slow(redis_url: str, direct: Any) -> None:
    direct.zadd(f"{prefix('default')}held", {"a": 1, "b": 1})
    assert (
        Reader(redis_url)
        .settle_down(still=0.2)
        .startswith("stuck: nothing has moved for 0.2 s; left are {'held': 2}")
    )
    assert Reader(redis_url).settle_down(still=60, most=0.1).startswith("slow: ")


def test_a_wake_up_that_comes_and_goes_is_no_progress() -> None:
    patience = Patience(still=0.0)
    assert [bool(patience.over((2, left))) for left in (3, 9, 8, 5)] == [False, True, True, True]
    assert not patience.over((1, 900)), "a job has ended"


def test_a_producer_makes_what_it_is_asked_for_round_by_round(redis_url: str, tmp_path: Any) -> None:
    load = Load.start(redis_url, tmp_path / "accepted", 30, rate=0, seed=1)
    load.wait_made()
    assert (load.made, load.going) == (30, False)
    load.more(50)
    load.wait()
    assert (len(load.accepted()), load.uncertain(), load.undeclared()) == (80, 0, set())


def test_a_job_is_sorted_by_every_key_that_names_it() -> None:
    keys = {
        f"{prefix('default')}j:a": "=done|send_text|normal|5|1|0|201|id||ok",
        f"{prefix('default')}run:normal": ["a"],
        f"{prefix('default')}possibly_sent": ["b", "2"],
        f"{prefix('default')}fl": ["b", "7|x"],
        f"{prefix('default')}d:c": '{"reason":"rejected"}',
        f"{prefix('default')}dead": ["c"],
        f"{prefix('default')}replays:c": "2",
        f"{CELERY}unacked": ["m", "n"],
        f"{CELERY}_kombu.binding.normal": 1,
        f"{prefix('other')}j:z": "of another account",
    }
    found = sort_out(keys, ["gone"])
    assert {job_key: job.places for job_key, job in found.jobs.items()} == {
        "gone": [],
        "a": ["done"],
        "b": ["flight 7"],
        "c": ["dead"],
    }
    assert (found.jobs["a"].litter, found.jobs["b"].maybe, found.jobs["c"].replays) == (
        ["run:normal"],
        True,
        2,
    )
    assert found.celery == {"unacked": 2}
