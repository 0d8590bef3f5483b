"""When a schedule is due: cron fields, time zones and their changes, intervals, start and end."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.schedules.cron import cron
from worker.schedules.definition import Schedule, read
from worker.schedules.errors import ScheduleError
from worker.schedules.interval import Interval, span

PAYLOAD = {"countryCode": "+91", "phoneNumber": "9999999999", "event": "Hello"}


def walls(text: str, zone: str, after: str, count: int) -> list[str]:
    """The next slots as wall times with their offset."""
    made, at, found = cron(text, ZoneInfo(zone)), int(datetime.fromisoformat(after).timestamp()), []
    for _ in range(count):
        slot = made.after(at)
        assert slot is not None
        at = slot
        found.append(datetime.fromtimestamp(at, ZoneInfo(zone)).strftime("%m-%d %H:%M%z"))
    return found


def test_a_slot_is_a_matter_of_the_schedules_own_time_zone() -> None:
    kolkata = walls("0 9 * * mon-fri", "Asia/Kolkata", "2026-11-27T12:00+05:30", 2)
    assert kolkata == ["11-30 09:00+0530", "12-01 09:00+0530"]
    assert walls("0 9 * * *", "UTC", "2026-11-27T09:00+00:00", 1) == ["11-28 09:00+0000"]


def test_a_daily_slot_keeps_its_wall_time_over_both_changes() -> None:
    assert walls("0 9 * * *", "Europe/Berlin", "2026-03-28T00:00+00:00", 3) == [
        "03-28 09:00+0100",
        "03-29 09:00+0200",
        "03-30 09:00+0200",
    ]
    assert walls("0 9 * * *", "America/New_York", "2026-10-31T00:00+00:00", 2) == [
        "10-31 09:00-0400",
        "11-01 09:00-0500",
    ]


def test_a_slot_that_the_spring_change_leaves_out_runs_as_much_later() -> None:
    assert walls("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00+00:00", 2) == [
        "03-29 03:30+0200",
        "03-30 02:30+0200",
    ]


def test_a_slot_that_the_autumn_change_repeats_runs_once() -> None:
    assert walls("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00+00:00", 2) == [
        "10-25 02:30+0200",
        "10-26 02:30+0100",
    ]
    assert walls("*/30 1,2 1 11 *", "America/New_York", "2026-10-31T12:00+00:00", 5) == [
        "11-01 01:00-0400",
        "11-01 01:30-0400",
        "11-01 02:00-0500",
        "11-01 02:30-0500",
        "11-01 01:00-0400",
    ]


@pytest.mark.parametrize(
    ("zone", "day"),
    [("Europe/Berlin", "2026-03-28"), ("Europe/Berlin", "2026-10-24"), ("Australia/Lord_Howe", "2026-10-03")],
)
def test_a_schedule_of_every_hour_goes_on_evenly_through_a_change(zone: str, day: str) -> None:
    made, at = cron("*/15 * * * *", ZoneInfo(zone)), int(datetime.fromisoformat(f"{day}T12:00Z").timestamp())
    for _ in range(200):
        slot = made.after(at)
        assert slot == at + 900
        at = slot


def test_midnight_that_does_not_exist_is_one_o_clock() -> None:
    assert walls("0 0 * * *", "Africa/Cairo", "2026-04-23T12:00+00:00", 2) == [
        "04-24 01:00+0300",
        "04-25 00:00+0300",
    ]


def test_day_and_weekday_either_is_enough_and_a_leap_day_comes_after_years() -> None:
    assert walls("0 0 13 * fri", "UTC", "2026-11-12T12:00Z", 4) == [
        "11-13 00:00+0000",
        "11-20 00:00+0000",
        "11-27 00:00+0000",
        "12-04 00:00+0000",
    ]
    leap = cron("0 0 29 2 *", ZoneInfo("UTC")).after(
        int(datetime.fromisoformat("2096-03-01T00:00Z").timestamp())
    )
    assert leap == int(datetime.fromisoformat("2104-02-29T00:00Z").timestamp())


def test_the_last_day_the_last_friday_and_the_second_monday_of_a_month_are_slots() -> None:
    assert walls("0 18 L * *", "Asia/Kolkata", "2026-01-15T00:00Z", 3) == [
        "01-31 18:00+0530",
        "02-28 18:00+0530",
        "03-31 18:00+0530",
    ]
    assert walls("0 0 L 2 *", "UTC", "2027-03-01T00:00Z", 1) == ["02-29 00:00+0000"]
    assert walls("0 0 LW * *", "UTC", "2026-01-15T00:00Z", 2) == ["01-30 00:00+0000", "02-27 00:00+0000"]
    assert walls("30 2 * 3 sun#5", "Europe/Berlin", "2026-01-01T00:00Z", 1) == ["03-29 03:30+0200"]
    assert walls("0 0 * * 5L", "UTC", "2026-11-01T00:00Z", 2) == ["11-27 00:00+0000", "12-25 00:00+0000"]
    made = cron("0 0 L * *", ZoneInfo("America/Santiago"))
    assert made.latest(1_790_000_000, 1_700_000_000) == int(
        datetime.fromisoformat("2026-08-31T00:00-04:00").timestamp()
    )


@pytest.mark.parametrize(
    "text", ["@daily", "0 0 * * 0", "0 0 * * 7", "0 0 * * sun", "5/20 */6 1-7 jan,Jul 1-5/2"]
)
def test_what_cron_knows_is_read(text: str) -> None:
    assert cron(text, ZoneInfo("UTC")).after(0)


@pytest.mark.parametrize(
    "text",
    ["", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "*/0 * * * *", "5-1 * * * *",
     "a * * * *", "* * * * foo", "0 0 31 2 *", "-1 * * * *", "1,,2 * * * *", "@reboot", "* * * * * *", "٣ * * * *"],
)  # fmt: skip
def test_what_is_no_cron_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        cron(text, ZoneInfo("UTC"))


@settings(max_examples=150)
@given(
    minute=st.sampled_from(["0", "30", "*/7", "*"]),
    hour=st.sampled_from(["*", "2", "1-3", "*/5", "23"]),
    zone=st.sampled_from(["Europe/Berlin", "America/Santiago", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]),
    at=st.integers(1_767_225_600, 1_830_297_600),
)
def test_after_and_latest_agree(minute: str, hour: str, zone: str, at: int) -> None:
    made = cron(f"{minute} {hour} * * *", ZoneInfo(zone))
    following = made.after(at)
    assert following is not None and at < following <= at + 26 * 3600
    assert made.latest(following, at) == following
    assert made.latest(following - 1, at) is None
    before = made.latest(at, at - 3 * 86400)
    assert before is not None and before <= at and made.after(before) == following


def test_an_interval_counts_from_its_start() -> None:
    made = Interval(600, 100)
    assert (made.after(99), made.after(100), made.after(701)) == (100, 700, 1300)
    assert (made.latest(699, 0), made.latest(699, 100), made.latest(100, 99)) == (100, None, 100)
    assert [span(text) for text in ("90s", "15m", "12h", "7d", "1w")] == [90, 900, 43200, 604800, 604800]
    for wrong in ("", "0s", "5", "1y", "-5m", "1.5h", "9" * 9 + "s"):
        with pytest.raises(ValueError, match="must be a span"):
            span(wrong)


def schedule(**fields: object) -> Schedule:
    return read("it", {"every": "1h", "run": "track_event", "payload": PAYLOAD, **fields})


def test_start_and_end_bound_the_slots_and_are_slots_themselves() -> None:
    start = datetime.fromisoformat("2026-11-27T09:30:00+05:30")
    made = schedule(start=start, end=start + timedelta(hours=2))
    first = int(start.timestamp())
    assert made.after(0) == first and made.after(first + 7199) == first + 7200
    assert made.after(first + 7200) is None
    assert made.latest(first + 10**6, 0) == first + 7200
    assert made.latest(first - 1, 0) is None


def test_every_mistake_of_a_schedule_is_told_at_once() -> None:
    with pytest.raises(ScheduleError) as found:
        read(
            "No Name",
            {"cron": "0 9 * *", "timezone": "Mars/Base", "run": "send_pigeon", "payload": [], "start": "soon",
             "lane": "fast", "missed": "twice", "late": "1 hour", "account": "A B", "colour": "red"},
        )  # fmt: skip
    assert set(found.value.errors) == {
        *(
            "name",
            "cron",
            "timezone",
            "run",
            "payload",
            "start",
            "lane",
            "missed",
            "late",
            "account",
            "colour",
        ),
    }
    for wrong in ({}, {"cron": "@daily", "every": "1h"}):
        with pytest.raises(ScheduleError, match="say either cron or every"):
            read("it", {**wrong, "run": "track_event", "payload": PAYLOAD})
    with pytest.raises(ScheduleError, match=r"payload\.phoneNumber"):
        schedule(payload={**PAYLOAD, "phoneNumber": 9})
    with pytest.raises(ScheduleError, match="definition and recipients"):
        schedule(run="run_campaign", payload={"definition": "diwali.toml"})
    with pytest.raises(ScheduleError, match="before the start"):
        schedule(start="2026-11-27T09:00Z", end="2026-11-26T09:00Z")
