"""Send windows by the recipient's own clock, over every kind of clock change."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberType
from phonenumbers.timezone import time_zones_for_number

from schemas.phones import same_person
from worker.campaigns.definition.rules import Rules
from worker.campaigns.planning.windows import Windows, finishing_time
from worker.campaigns.recipients.zones import Zones, zone_info


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


def rules(window: str, weekdays: tuple[int, ...] = (), dates: tuple[date, ...] = ()) -> Rules:
    opens, closes = window.split("-")
    return Rules(minutes(opens), minutes(closes), frozenset(weekdays), frozenset(dates))


@pytest.mark.parametrize(
    ("window", "zone", "now", "opens"),
    [
        # no clock change
        ("09:00-21:00", "Asia/Kolkata", "2026-11-23T03:29:59", "2026-11-23T03:30:00"),
        ("09:00-21:00", "Asia/Kolkata", "2026-11-23T03:30:00", "2026-11-23T03:30:00"),
        ("09:00-21:00", "Asia/Kolkata", "2026-11-23T15:29:59", "2026-11-23T15:29:59"),
        ("09:00-21:00", "Asia/Kolkata", "2026-11-23T15:30:00", "2026-11-24T03:30:00"),
        # over midnight
        ("20:00-02:00", "Asia/Kolkata", "2026-11-23T20:29:59", "2026-11-23T20:29:59"),
        ("20:00-02:00", "Asia/Kolkata", "2026-11-23T20:30:00", "2026-11-24T14:30:00"),
        ("21:00-24:00", "UTC", "2026-11-23T23:59:59", "2026-11-23T23:59:59"),
        ("21:00-24:00", "UTC", "2026-11-24T00:00:00", "2026-11-24T21:00:00"),
        # New York, 8 March 2026: 02:00 becomes 03:00
        ("09:00-21:00", "America/New_York", "2026-03-08T02:00:00", "2026-03-08T13:00:00"),
        ("09:00-21:00", "America/New_York", "2026-03-07T03:00:00", "2026-03-07T14:00:00"),
        ("02:30-05:00", "America/New_York", "2026-03-08T06:59:59", "2026-03-08T07:00:00"),
        ("02:15-02:45", "America/New_York", "2026-03-08T06:00:00", "2026-03-09T06:15:00"),
        ("22:00-02:30", "America/New_York", "2026-03-08T07:00:00", "2026-03-09T02:00:00"),
        # New York, 1 November 2026: 02:00 becomes 01:00 again
        ("09:00-21:00", "America/New_York", "2026-11-01T02:00:00", "2026-11-01T14:00:00"),
        ("01:30-01:45", "America/New_York", "2026-11-01T05:29:00", "2026-11-01T05:30:00"),
        ("01:30-01:45", "America/New_York", "2026-11-01T05:45:00", "2026-11-01T06:30:00"),
        ("01:30-01:45", "America/New_York", "2026-11-01T06:45:00", "2026-11-02T06:30:00"),
        ("01:30-03:00", "America/New_York", "2026-11-01T06:00:00", "2026-11-01T06:30:00"),
        # a change of half an hour, and one at midnight
        ("02:00-03:00", "Australia/Lord_Howe", "2026-10-03T15:00:00", "2026-10-03T15:30:00"),
        ("00:00-01:00", "Africa/Cairo", "2026-04-23T21:59:59", "2026-04-24T21:00:00"),
        # a date that did not exist
        ("09:00-21:00", "Pacific/Apia", "2011-12-30T08:00:00", "2011-12-30T19:00:00"),
    ],
)
def test_the_window_opens_by_the_wall_clock(window: str, zone: str, now: str, opens: str) -> None:
    assert Windows(rules(window)).next_open(at(now), zone) == at(opens)


def test_quiet_days_are_the_recipients_own_dates() -> None:
    found = Windows(rules("09:00-21:00", (6,), (date(2026, 11, 23),)))
    assert found.next_open(at("2026-11-21T15:30:00"), "Asia/Kolkata") == at("2026-11-24T03:30:00")
    assert found.next_open(at("2026-11-22T00:30:00"), "America/New_York") == at("2026-11-22T00:30:00")


def test_a_quiet_day_ends_a_window_over_midnight_at_midnight() -> None:
    found = Windows(rules("20:00-02:00", (6,)))
    assert found.span(at("2026-11-21T15:00:00"), "Asia/Kolkata").until == at("2026-11-21T18:30:00")


def test_a_number_in_several_zones_waits_until_all_are_open() -> None:
    zone = Zones().of("351912345678")
    assert zone == "Atlantic/Azores|Europe/Lisbon"
    found = Windows(rules("09:00-21:00"))
    assert found.next_open(at("2026-11-23T05:00:00"), zone) == at("2026-11-23T10:00:00")
    assert found.span(at("2026-11-23T12:00:00"), zone).until == at("2026-11-23T21:00:00")


def test_zones_that_never_meet_use_the_middle_one() -> None:
    zone = "Asia/Kolkata|America/New_York|Europe/Berlin"
    found = Windows(rules("10:00-11:00"))
    assert found.next_open(at("2026-11-23T00:00:00"), zone) == at("2026-11-23T09:00:00")


def test_what_never_opens_is_said_so() -> None:
    every_day = tuple(date(2026, 11, 1) + timedelta(days=day) for day in range(440))
    assert Windows(rules("09:00-21:00", (), every_day)).next_open(at("2026-11-23T00:00:00"), "UTC") is None


def test_without_rules_it_is_always_open() -> None:
    now = at("2026-11-23T00:00:00")
    assert Windows(Rules()).span(now, "Asia/Kolkata") == (True, None)


ZONES = [
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Africa/Cairo",
    "America/Santiago",
    "Europe/Dublin",
    "Australia/Sydney",
    "Pacific/Auckland",
    "Australia/Sydney|Australia/Perth",
    "Europe/London|America/St_Johns",
]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(ZONES),
    st.integers(0, 1439),
    st.integers(0, 1440),
    st.integers(0, 366 * 1440),
    st.frozensets(st.integers(0, 6), max_size=3),
)
def test_the_answer_is_the_first_open_minute(
    zone: str, opens: int, closes: int, minute: int, quiet: frozenset[int]
) -> None:
    if opens == closes:
        return
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    zones = [zone_info(name) for name in zone.split("|")]

    def is_open(moment: datetime) -> bool:
        return all(is_open_in(moment.astimezone(info)) for info in zones)

    def is_open_in(local: datetime) -> bool:
        clock = local.hour * 60 + local.minute
        inside = opens <= clock < closes if opens < closes else clock >= opens or clock < closes
        return inside and local.weekday() not in quiet

    steps = (now + timedelta(minutes=step) for step in range(6 * 1440))
    was, found = is_open(now), Windows(Rules(opens, closes, quiet)).span(now, zone)
    slow = next((moment for moment in steps if is_open(moment) != was), None)
    if slow is None and len(zones) > 1:
        return  # their windows do not meet within six days
    assert found == (was, slow if not Rules(opens, closes, quiet).always_open else None)


@pytest.mark.parametrize(
    ("zone", "asked", "quiet", "until"),
    [
        # 18:00 to 24:00 on the evening before the clocks go forward
        ("Australia/Sydney", "2026-10-03T11:00:00", (), "2026-10-03T14:00:00"),
        ("Pacific/Auckland", "2026-09-26T08:00:00", (), "2026-09-26T12:00:00"),
        ("Australia/Lord_Howe", "2026-10-03T09:00:00", (), "2026-10-03T13:30:00"),
        ("America/Santiago", "2026-09-06T01:00:00", (), "2026-09-06T04:00:00"),
        # and on the evening before they go back
        ("Australia/Sydney", "2027-04-03T09:00:00", (), "2027-04-03T13:00:00"),
        # the next day is quiet from its own midnight
        ("Australia/Sydney", "2026-10-03T11:00:00", (6,), "2026-10-03T14:00:00"),
    ],
)
def test_a_window_until_midnight_closes_at_midnight_near_a_clock_change(
    zone: str, asked: str, quiet: tuple[int, ...], until: str
) -> None:
    found = Windows(rules("18:00-24:00", quiet))
    assert found.span(at(asked), zone) == (True, at(until))
    assert not found.span(at(until), zone).open


def test_a_quiet_sunday_begins_at_local_midnight_on_the_night_of_a_clock_change() -> None:
    found = Windows(rules("00:00-24:00", (6,)))
    assert found.span(at("2026-10-03T11:00:00"), "Australia/Sydney") == (True, at("2026-10-03T14:00:00"))
    assert found.span(at("2026-10-03T14:30:00"), "Australia/Sydney") == (False, at("2026-10-04T13:00:00"))


def test_remembered_answers_are_those_of_a_fresh_look() -> None:
    chance, found = random.Random(2), Windows(rules("09:00-21:00", (6,)))
    now = at("2026-03-01T00:00:00")
    for _ in range(300):
        now += timedelta(minutes=chance.randrange(700))
        zone = chance.choice(ZONES)
        fresh = Windows(rules("09:00-21:00", (6,)))
        assert found.next_open(now, zone) == fresh.next_open(now, zone)


def test_time_zones_come_from_the_number() -> None:
    zones = Zones("Asia/Kolkata")
    assert zones.of("919999999999") == "Asia/Kolkata"
    assert zones.of("14155550123") == "America/Los_Angeles"
    assert zones.of("61491570156").startswith("Australia/Adelaide|Australia/Brisbane|")
    assert "Asia/Almaty" in zones.of("77012345678")
    assert zones.of("88312345678") == "Asia/Kolkata"
    assert zones.named("../../etc/passwd") == ""


@pytest.mark.parametrize("kind", [PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE])
def test_the_zones_are_those_that_the_library_gives(kind: int) -> None:
    asked = 0
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        number = phonenumbers.example_number_for_type(region, kind)
        digits = number and phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:]
        if number is None or same_person(digits) != digits:
            continue
        wanted = {name for name in time_zones_for_number(number) if zone_info(name)}
        known = {zone_info(name) for name in Zones("UTC").of(digits).split("|")}
        assert known == ({zone_info(name) for name in wanted} or {zone_info("UTC")}), region
        asked += 1
    assert asked > 200


def test_an_australian_waits_until_all_of_australia_is_open() -> None:
    zone = Zones().of("61491570156")
    # 12:04 in Sydney is 09:04 in Perth
    assert not Windows(rules("09:44-17:04")).span(at("2026-11-25T01:04:00"), zone).open
    assert Windows(rules("09:44-17:04")).next_open(at("2026-11-25T01:04:00"), zone) == at(
        "2026-11-25T03:14:00"
    )


def test_the_finishing_time_counts_windows_and_budget() -> None:
    windows, now = Windows(rules("09:00-21:00")), at("2026-11-23T03:30:00")
    assert finishing_time(now, {"Asia/Kolkata": 600}, windows, 600)[0] == now + timedelta(minutes=1)
    # 12 hours a day at 600 a minute are 432,000 a day
    done, left = finishing_time(now, {"Asia/Kolkata": 1_000_000}, windows, 600)
    assert left == 0
    assert done is not None
    assert abs(done - (now + timedelta(days=2, seconds=13_600))) < timedelta(seconds=5)
    done, left = finishing_time(now, {"Asia/Kolkata": 1_000_000}, windows, 600, now + timedelta(hours=12))
    assert (done, left) == (now + timedelta(hours=12), 568_000)
    assert finishing_time(now, {"Asia/Kolkata": 10}, windows, 0) == (None, 10)


def test_several_zones_share_the_budget_those_that_close_first_going_first() -> None:
    windows, now = Windows(rules("09:00-21:00")), at("2026-11-23T14:30:00")
    people = {"Asia/Kolkata": 6_000, "America/New_York": 6_000}
    done, left = finishing_time(now, people, windows, 100)
    assert (left, done) == (0, now + timedelta(hours=2))
