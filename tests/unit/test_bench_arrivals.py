"""What the budget bench concludes from arrival times."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.arrivals import judge, max_in_any_window, over_windows, percentile, spacing, used_share, waits

TIMES = st.lists(st.integers(0, 2_000).map(lambda ms: ms / 1000), max_size=60)


@pytest.mark.parametrize(
    ("times", "window", "most"),
    [
        ([], 1.0, 0),
        ([5.0], 1.0, 1),
        ([0.0, 1.0, 2.0], 1.0, 1),
        ([0.0, 0.999, 2.0], 1.0, 2),
        ([0.9, 0.95, 1.0, 1.05, 1.1], 0.5, 5),
        ([1.1, 0.9, 1.0], 0.15, 2),
    ],
)
def test_the_fullest_window_may_start_anywhere(times: list[float], window: float, most: int) -> None:
    assert max_in_any_window(times, window) == most


@given(TIMES, st.sampled_from([0.1, 0.25, 1.0]))
def test_the_fullest_window_is_what_counting_each_one_gives(times: list[float], window: float) -> None:
    counted = [sum(end - window < time <= end for time in times) for end in times]
    assert max_in_any_window(times, window) == max(counted, default=0)


def test_calls_above_the_limit_are_counted_one_by_one() -> None:
    burst = [0.0, 0.1, 0.2, 0.3]
    assert over_windows(burst, 1.0, 4) == 0
    assert over_windows(burst, 1.0, 3) == 1
    assert over_windows(burst, 1.0, 2) == 2
    assert over_windows([*burst, 1.3], 1.0, 3) == 1


@given(TIMES, st.integers(1, 20))
def test_nothing_is_over_exactly_when_no_window_holds_more_than_the_limit(
    times: list[float], limit: int
) -> None:
    assert (over_windows(times, 0.5, limit) == 0) == (max_in_any_window(times, 0.5) <= limit)


def test_the_used_share_counts_only_the_time_that_is_asked_about() -> None:
    times = [number * 0.1 for number in range(100)]
    assert used_share(times, 1.0, 10, 2.05, 8.05) == pytest.approx(1.0)
    assert used_share(times, 60.0, 1200, 2.05, 8.05) == pytest.approx(0.5)
    assert used_share([], 1.0, 10, 0.0, 5.0) == 0.0
    assert used_share([1.0], 1.0, 10, 5.0, 5.0) == 0.0


def test_spacing_is_between_neighbours_in_time() -> None:
    assert spacing([3.0, 0.0, 1.0], 0.0) == 1.0
    assert spacing([3.0, 0.0, 1.0], 0.5) == 1.5
    assert spacing([3.0, 0.0, 1.0], 1.0) == 2.0
    assert spacing([1.0], 0.5) == 0.0


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0, 1))
def test_a_percentile_lies_between_the_least_and_the_most(values: list[float], share: float) -> None:
    assert min(values) <= percentile(values, share) <= max(values)


def test_a_wait_is_from_the_call_to_the_arrival_of_the_same_job() -> None:
    called = {"a": 10.0, "b": 11.0, "never": 12.0}
    assert waits(called, {"b": 11.5, "a": 10.25, "other": 1.0}) == [0.25, 0.5]


def test_a_verdict_counts_refused_calls_as_arrivals_but_not_as_use() -> None:
    accepted = [10.0 + number * 0.125 for number in range(16)]
    verdict = judge(accepted, [10.5625, 30.0], 8, 1.0, 10.0, 12.0)
    assert verdict.used == pytest.approx(1.0)
    assert (verdict.most, verdict.over, verdict.refused) == (9, 6, 1)
    assert verdict.spacing_p50 == 0.125
