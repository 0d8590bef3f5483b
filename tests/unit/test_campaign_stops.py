"""When a campaign stops itself, and its pace: pure functions."""

from __future__ import annotations

import itertools

import pytest

from worker.campaigns.definition.rules import Stop
from worker.campaigns.running.conditions import paused_account, paused_template, too_many
from worker.campaigns.running.progress import finished, next_pace

COUNTS = {
    "planned": 50,
    "enqueued": 5,
    "accepted": 30,
    "dead": 6,
    "dead|rejected": 6,
    "unknown": 4,
    "skipped": 20,
}


@pytest.mark.parametrize(
    ("stop", "said"),
    [
        (Stop(0.25, 10), "10 of 40 failed"),
        (Stop(0.26, 10), ""),
        (Stop(0.0, 11), ""),
        (Stop(0.15, 6, "rejected"), "6 of 40 failed (rejected)"),
        (Stop(0.1, 1, "media"), ""),
    ],
)
def test_share_and_count_must_both_be_reached_by_those_who_were_tried(stop: Stop, said: str) -> None:
    assert too_many([stop], COUNTS, {}) == said


def test_what_was_there_before_does_not_count() -> None:
    assert too_many([Stop(0.0, 1)], COUNTS, COUNTS) == ""
    assert too_many([Stop(0.0, 1)], {**COUNTS, "unknown": 5}, COUNTS) == "1 of 1 failed"
    assert too_many([Stop(0.0, 1)], {**COUNTS, "dead": 0, "dead|rejected": 0}, COUNTS) == ""


def test_only_a_pause_that_needs_a_person_stops_a_campaign() -> None:
    assert paused_account([b"2000", b"account: HTTP 401", None], 1000)
    assert paused_account([b"2000", b"holiday", b"1"], 1000) == "the account is paused: holiday"
    assert not paused_account([b"2000", b"throttled: HTTP 429", b"0"], 1000)
    assert not paused_account([b"2000", b"unavailable: 5xx or timeouts in a row", b"0"], 1000)
    assert not paused_account([b"999", b"account: HTTP 401", None], 1000)
    assert not paused_account([None, None, None], 1000)
    assert paused_template(b"2000|3|No approved template | at all", 1000).endswith(
        "No approved template | at all"
    )
    assert not paused_template(b"999|3|x", 1000)
    assert not paused_template(None, 1000)


def test_the_pace_keeps_a_minute_of_samples_ten_seconds_apart() -> None:
    pace = ""
    for second in range(300):
        pace = next_pace(pace, second * 5, 1_000_000.0 + second)
    samples = [sample.partition(":") for sample in pace.split()]
    times = [float(at) for at, _, _ in samples]
    assert 6 <= len(samples) <= 9
    assert all(9 <= later - earlier <= 11 for earlier, later in itertools.pairwise(times))
    assert finished(COUNTS) == 60
