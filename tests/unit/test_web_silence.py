"""The silence alarm, the buckets and the failure codes: pure parts of the web room."""

from __future__ import annotations

import pytest

from tests.observed import observed
from worker.interakt import failure_codes
from worker.interakt.failure_codes import explain
from worker.web.buckets import BOUNDS, cumulative
from worker.webhooks.redis_monitor import memory_share
from worker.webhooks.silence import Alarm, Mark, Sample, look, sample

MINUTE = 60_000


def watch(samples: list[Sample], minutes: float = 30) -> list[Alarm | None]:
    mark: Mark | None = None
    alarms = []
    for each in samples:
        mark, alarm = look(mark, each, minutes)
        alarms.append(alarm)
    return alarms


def test_sends_without_a_receipt_for_long_enough_are_an_alarm() -> None:
    found = watch([Sample(n * MINUTE, min(n, 5), 0, 0) for n in range(40)])
    assert found[:31] == [None] * 31
    assert found[31] is not None and found[31].kind == "silent" and "5 sends" in found[31].text


def test_a_receipt_ends_the_wait_and_begins_it_anew() -> None:
    found = watch([Sample(n * MINUTE, n, 0, 20 * MINUTE if n >= 20 else 0) for n in range(60)])
    assert [n for n, alarm in enumerate(found) if alarm] == list(range(51, 60))


def test_an_idle_account_is_silent_without_an_alarm() -> None:
    assert not any(watch([Sample(n * MINUTE, 7, 0, 3) for n in range(100)]))


def test_the_wait_counts_from_the_first_send_after_the_last_receipt() -> None:
    found = watch([Sample(n * MINUTE, 1 if n >= 50 else 0, 0, 0) for n in range(82)])
    assert [n for n, alarm in enumerate(found) if alarm] == [80, 81]


def test_wrong_signatures_without_right_ones_are_an_alarm_at_once() -> None:
    found = watch([Sample(n * MINUTE, 0, n * 3, 0) for n in range(3)])
    assert [alarm.kind if alarm else None for alarm in found] == [None, None, "signatures"]


def test_forged_webhooks_among_receipts_are_no_alarm() -> None:
    assert not any(watch([Sample(n * MINUTE, n, n * 10, n * MINUTE) for n in range(100)]))


def test_counters_that_start_again_are_no_alarm() -> None:
    assert not any(watch([Sample(0, 100, 9, 5), Sample(40 * MINUTE, 3, 0, 5), Sample(50 * MINUTE, 4, 0, 5)]))


def test_a_sample_counts_accepted_sends_only() -> None:
    counts = {
        "outcome|send_text|normal|accepted": 2,
        "outcome|send_template|bulk|accepted": 3,
        "outcome|track_user|normal|accepted": 50,
        "outcome|send_text|normal|unknown": 9,
        "webhook|bad_signature": 4,
    }
    assert sample(7, counts, 6) == Sample(7, 5, 4, 6)


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_an_observation_falls_in_one_bucket_and_all_above_hold_it(name: str) -> None:
    for milliseconds in (0, BOUNDS[name][0], BOUNDS[name][0] + 1, BOUNDS[name][-1], BOUNDS[name][-1] + 1):
        counts = dict(observed(name, "x", milliseconds))
        buckets = cumulative(name, "x", counts)
        assert buckets[-1] == ("+Inf", 1)
        assert counts[f"{name}_ms|x"] == milliseconds
        for bound, held in buckets[:-1]:
            assert held == (float(bound) * 1000 >= milliseconds)


def test_the_share_of_memory_is_zero_without_a_limit() -> None:
    assert memory_share(b"used_memory:50\r\nmaxmemory:0\r\n") == 0
    assert memory_share(b"# Memory\r\nused_memory:90\r\nmaxmemory:100\r\n") == 0.9


def test_every_code_tells_a_person_what_and_why_with_its_source() -> None:
    for code in failure_codes.codes():
        found = explain(code)
        assert found.code == code and code.isdigit()
        assert found.title and found.reason.endswith(".") and found.action.endswith(".")
        assert found.source.startswith("https://developers.facebook.com/")


@pytest.mark.parametrize(
    ("code", "transient"),
    [
        ("131026", False),
        (131049, True),
        ("131047", False),
        ("131056", True),
        ("132016", False),
        ("1013", False),
    ],
)
def test_what_passes_with_time_is_told_from_what_does_not(code: str | int, transient: bool) -> None:
    assert explain(code).transient is transient


@pytest.mark.parametrize("code", [None, "", "999999", "x" * 500, -1])
def test_a_code_that_nobody_knows_is_explained_too(code: str | int | None) -> None:
    found = explain(code)
    assert not found.transient and found.reason and len(found.code) <= 20
