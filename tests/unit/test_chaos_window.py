"""Calls in a sliding window are counted exactly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.chaos.window import most_in_window


@pytest.mark.parametrize(
    ("times", "window", "most"),
    [
        ([], 1.0, 0),
        ([5.0], 1.0, 1),
        ([0.0, 0.5, 0.999], 1.0, 3),
        ([0.0, 1.0], 1.0, 1),
        ([0.0, 0.9, 1.1, 1.8, 2.5], 1.0, 3),
        ([2.0, 0.0, 0.1], 1.0, 2),
        ([1.0] * 7, 0.5, 7),
    ],
)
def test_the_fullest_window_is_found(times: list[float], window: float, most: int) -> None:
    assert most_in_window(times, window) == most


@given(st.lists(st.integers(0, 200), max_size=40), st.integers(1, 60))
def test_it_agrees_with_counting_from_each_call(ticks: list[int], window: int) -> None:
    slow = max((sum(start <= tick < start + window for tick in ticks) for start in ticks), default=0)
    assert most_in_window(map(float, ticks), float(window)) == slow
