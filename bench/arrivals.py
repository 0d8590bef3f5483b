"""What the times at which calls arrived say about a rate limit. Pure functions; all times in seconds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` (0 to 1) of them lie, interpolated; 0.0 of nothing."""
    if not values:
        return 0.0
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def window_counts(times: Sequence[float], window: float) -> Iterator[int]:
    """For each call in order: how many arrived in the ``window`` seconds that end with it, itself included.

    The window is half open: a call exactly ``window`` seconds before has left it.
    """
    ordered = sorted(times)
    first = 0
    for index, time in enumerate(ordered):
        while ordered[first] <= time - window:
            first += 1
        yield index - first + 1


def max_in_any_window(times: Sequence[float], window: float) -> int:
    """The most calls in any window of that length, wherever it starts."""
    return max(window_counts(times, window), default=0)


def over_windows(times: Sequence[float], window: float, limit: int) -> int:
    """How many calls arrived when the window ending with them already held ``limit``."""
    return sum(count > limit for count in window_counts(times, window))


def used_share(times: Sequence[float], window: float, limit: int, start: float, end: float) -> float:
    """Calls in ``start <= time < end`` as a share of what the limit allows in that long."""
    allowed = limit * (end - start) / window
    return sum(start <= time < end for time in times) / allowed if allowed > 0 else 0.0


def spacing(times: Sequence[float], share: float) -> float:
    """A percentile of the gaps between one call and the next."""
    ordered = sorted(times)
    return percentile([later - earlier for earlier, later in pairwise(ordered)], share)


def waits(called: Mapping[str, float], arrived: Mapping[str, float]) -> list[float]:
    """From each call of ``.delay()`` to the arrival of its request; jobs that never arrived are left out."""
    return [arrived[job] - moment for job, moment in called.items() if job in arrived]


class Verdict(NamedTuple):
    """What a limiter made of its limit: ``used`` is a share, ``spacing`` in seconds, the others are calls."""

    used: float
    most: int
    over: int
    refused: int
    spacing_p50: float
    spacing_p99: float


def judge(
    accepted: Sequence[float], refused: Sequence[float], limit: int, window: float, start: float, end: float
) -> Verdict:
    """Judge the calls that arrived in ``start <= time < end``, which may not all have been accepted."""
    taken = [time for time in accepted if start <= time < end]
    not_taken = [time for time in refused if start <= time < end]
    both = taken + not_taken
    return Verdict(
        used_share(taken, window, limit, start, end),
        max_in_any_window(both, window),
        over_windows(both, window, limit),
        len(not_taken),
        spacing(both, 0.5),
        spacing(both, 0.99),
    )
