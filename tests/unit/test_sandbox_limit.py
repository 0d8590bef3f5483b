"""The sandbox's limit and its meter, call by call."""

from __future__ import annotations

import random

import pytest

from sandbox.limit import Limiter, Meter


def most_in_a_window(times: list[float], window: float) -> int:
    return max(sum(1 for other in times if start <= other < start + window) for start in times)


def test_a_sliding_window_never_holds_more_than_the_limit_and_wastes_nothing() -> None:
    limiter, chance, now = Limiter(10, 1.0, "sliding"), random.Random(1), 0.0
    allowed: list[float] = []
    for _ in range(3000):
        now += chance.expovariate(20)
        before = sum(1 for at in allowed if at > now - 1.0)
        if limiter.take(now):
            assert before == 10, "refused although there was room"
        else:
            allowed.append(now)
    assert most_in_a_window(allowed, 1.0) == 10


def test_a_call_made_exactly_one_window_ago_has_left_it() -> None:
    limiter = Limiter(1, 60.0, "sliding")
    assert limiter.take(100.0) == 0
    assert limiter.take(159.75) == 0.25
    assert limiter.take(160.0) == 0


def test_a_fixed_window_lets_twice_the_limit_pass_at_its_edge() -> None:
    limiter = Limiter(5, 60.0, "fixed")
    assert [limiter.take(119.0) for _ in range(6)] == [0, 0, 0, 0, 0, 1.0]
    assert [limiter.take(120.0) > 0 for _ in range(6)] == [False] * 5 + [True]


@pytest.mark.parametrize("kind", ["sliding", "fixed"])
def test_a_limit_of_nothing_is_no_limit(kind: str) -> None:
    limiter = Limiter(0, 60.0, kind)
    assert not any(limiter.take(1.0) for _ in range(1000))


def test_the_meter_counts_what_came_above_the_limit() -> None:
    meter = Meter(2, 1.0)
    for at in (0.0, 0.5, 0.9, 1.6, 1.7, 1.8, 5.0):
        meter.add(at)
    assert (meter.calls, meter.peak, meter.over) == (7, 4, 3)
