"""When a job is tried again."""

from __future__ import annotations

import pytest

from worker.delivery.attempt import RetryPolicy
from worker.interakt.errors import InteraktError, Refused, Throttled, Unavailable, Unknown

POLICY = RetryPolicy(base=1.0, cap=300.0)


@pytest.mark.parametrize(
    ("error", "attempt", "chance", "expected"),
    [
        (Unavailable("x"), 1, 0.0, 0.0),
        (Unavailable("x"), 1, 0.5, 0.5),
        (Unavailable("x"), 4, 0.5, 4.0),
        (Unavailable("x"), 7, 1.0, 64.0),
        (Unknown("x"), 2, 1.0, 2.0),
        (Unavailable("x"), 100, 0.5, 150.0),
        (Throttled("x"), 100, 0.5, 150.0),
        (Throttled("x", 429, "account", 10.0), 1, 0.5, 10.5),
        (Throttled("x", 429, "account", 1e9), 1, 0.0, 3600.0),
        (Throttled("x", 429, "account", 0.0), 9, 1.0, 1.0),
        (Refused("x"), 1, 0.5, None),
        (Refused("x", 401, "account"), 1, 0.5, 0.5),
    ],
)
def test_the_table_of_delays(
    error: InteraktError, attempt: int, chance: float, expected: float | None
) -> None:
    assert POLICY.delay(error, attempt, chance) == expected


def test_the_jitter_is_full_and_capped() -> None:
    assert POLICY.delay(Unavailable("x"), 5000, 1.0) == 300.0
    assert POLICY.delay(Unavailable("x"), 5000, 0.0) == 0.0
