"""Hours of the budget in virtual time: no window over the limit, whatever urgent does, and how long urgent waits."""

from __future__ import annotations

import random

import pytest
from redis import Redis

from tests.redis.test_budget import most_in_any
from tests.redis.virtual_budget import Call, VirtualBudget, poisson

GUARD = 0.1  # docs/budget.md: a request may leave so much later than its permit


@pytest.fixture
def redis(redis_url: str) -> Redis:
    return Redis.from_url(redis_url)


def most(made: list[Call]) -> int:
    """The most permits in any window of a minute, and of what may leave later than its permit."""
    return most_in_any([call.at for call in made], 60 + GUARD)


def waits(made: list[Call]) -> list[float]:
    return sorted(call.waited for call in made if call.lane == "urgent")


@pytest.mark.parametrize("rate", [300, 600])
def test_a_backlog_uses_99_in_a_hundred_calls_and_never_one_too_many(redis: Redis, rate: int) -> None:
    made = VirtualBudget(redis, rate).run(240, [], 3, random.Random(7))
    assert most(made) <= rate
    assert sum(call.at >= 60 for call in made) >= 0.99 * rate * 3


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_window_is_over_the_limit_while_urgent_comes_and_goes(redis: Redis, seed: int) -> None:
    chance = random.Random(seed)
    urgent: list[float] = []
    at = 0.0
    while at < 900:
        long = chance.uniform(20, 200)
        urgent += poisson(chance.choice([0.01, 1, 2.5, 4, 6]), at, at + long, chance)
        urgent += [at + chance.uniform(0, long)] * chance.randrange(12)
        at += long
    made = VirtualBudget(redis, 300).run(900, sorted(urgent), 3, chance)
    assert most(made) <= 300
    assert sum(call.at >= 60 for call in made) >= 0.94 * 5 * 840
    assert sum(call.lane == "bulk" for call in made) >= 0.2 * len(made)


@pytest.mark.parametrize(("share", "most_seconds"), [(0.1, 0.1), (0.5, 0.25)])
def test_99_of_100_urgent_calls_wait_no_longer_than_promised_at_300_a_minute(
    redis: Redis, share: float, most_seconds: float
) -> None:
    chance = random.Random(5)
    made = VirtualBudget(redis, 300).run(1200, poisson(5 * share, 0, 1200, chance), 3, chance)
    found = waits(made)
    assert found[int(0.99 * len(found))] <= most_seconds
    assert most(made) <= 300
