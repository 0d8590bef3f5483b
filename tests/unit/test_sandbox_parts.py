"""Parts of the sandbox that need no process: phone numbers, keys, the record, fault rules, settings."""

from __future__ import annotations

import base64

import pytest

from sandbox import faults, hooks, phones
from sandbox.accounts import key_from
from sandbox.answers import Refused
from sandbox.calls import Call, CallLog
from sandbox.incoming import take_body, take_head
from sandbox.settings import Settings


@pytest.mark.parametrize(
    ("full", "parts"),
    [
        ("919999999999", ("+91", "9999999999")),
        ("12025550123", ("+1", "2025550123")),
        ("971501234567", ("+971", "501234567")),
        ("447400123456", ("+44", "7400123456")),
        ("3581234567", ("+358", "1234567")),
    ],
)
def test_a_number_is_split_after_its_country_code(full: str, parts: tuple[str, str]) -> None:
    assert phones.split(full) == parts


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"phoneNumber": 9999999999},
        {"phoneNumber": "99999-99999"},
        {"phoneNumber": "919999999999"},
        {"countryCode": "+0", "phoneNumber": "9999999999"},
        {"countryCode": None, "phoneNumber": "9999999999"},
        {"fullPhoneNumber": 919999999999},
        {"fullPhoneNumber": "919999999999\n"},
    ],
)
def test_an_impossible_number_is_refused(body: dict[str, object]) -> None:
    with pytest.raises(Refused):
        phones.read(body)


def test_a_key_is_base64_of_a_token_and_a_colon() -> None:
    good = base64.b64encode(b"token:").decode()
    assert key_from(f"Basic {good}") == good
    twice = base64.b64encode(good.encode()).decode()
    for bad in (f"Basic {twice}", f"Bearer {good}", good, "", "Basic token:", "Basic \xff"):
        assert key_from(bad) is None


def _call(job: str, accepted: bool = True) -> Call:
    return Call(1.0, "send_text", "a", job, 201, accepted, None, "/")


def test_the_record_stays_within_its_size_and_numbers_go_on() -> None:
    log = CallLog(keep=100, keep_bodies=5)
    for number in range(1000):
        log.add(_call(f"j{number}"), {"n": number})
    page = log.page(0, 10_000, bodies=True)
    assert 100 <= len(page["calls"]) <= 110
    assert page["next"] == page["calls"][-1]["seq"] == 1000
    assert [row["body"] for row in page["calls"]][-6:] == [None] + [{"n": n} for n in range(995, 1000)]
    assert sum(log.counts.values()) == 1000
    assert len(b"".join(log.jobs()).splitlines()) == len(page["calls"])


def test_an_answer_that_comes_later_is_noted() -> None:
    log = CallLog(10, 10)
    seq = log.add(_call("j")._replace(status=None), None)
    log.answered(seq, 201)
    log.answered(99, 201)
    log.answered(-1, 201)
    assert log.page(0, 1, False)["calls"][0]["status"] == 201
    assert +log.counts == {("send_text", 201, True): 1}


def test_shares_are_met_over_many_draws() -> None:
    rule = faults.read({"share_500": 0.2, "share_429": 0.1, "seed": 1})
    drawn = [rule.draw() for _ in range(10_000)]
    assert 0.18 < drawn.count("share_500") / 10_000 < 0.22
    assert 0.08 < drawn.count("share_429") / 10_000 < 0.12
    again = faults.read(rule.shown())
    assert [again.draw() for _ in range(10_000)] == drawn


def test_a_rule_ends_after_its_times() -> None:
    rule = faults.read({"share_500": 1, "times": 2})
    assert [rule.draw() for _ in range(4)] == ["share_500", "share_500", "", ""]
    assert rule.fired == 2


@pytest.mark.parametrize(
    "given",
    [
        {"share_500": 2},
        {"share_500": 0.6, "share_503": 0.6},
        {"share_418": 1},
        {"latency_ms": [1, 2, 3]},
        {"latency_ms": "1"},
        {"only_jobs": "x"},
        [],
    ],
)
def test_a_rule_with_a_mistake_is_refused(given: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        faults.read(given)


def test_a_hook_is_disabled_by_five_failures_within_ten_minutes() -> None:
    hook = hooks.read({"url": "http://127.0.0.1/"})
    for _ in range(4):
        hook.failed()
    assert not hook.disabled
    hook.failures[0] -= 601
    hook.failed()
    assert hook.disabled is False
    hook.failed()
    assert hook.disabled is True


def test_settings_name_every_mistake_and_then_change_nothing() -> None:
    settings = Settings()
    with pytest.raises(ValueError, match=r"window: must be one of.*keep: unknown.*permissive: must be true"):
        settings.change({"window": "round", "keep": 1, "permissive": 1, "calls_per_minute": 1})
    assert settings.calls_per_minute == 300


@pytest.mark.parametrize(("rate", "window", "limit"), [(300, 60, 300), (3000, 1, 50), (0, 60, 0), (1, 1, 1)])
def test_the_limit_of_a_window_follows_the_calls_per_minute(rate: float, window: float, limit: int) -> None:
    assert Settings(calls_per_minute=rate, window_seconds=window).calls_per_window == limit


def test_a_request_is_read_from_any_pieces() -> None:
    raw = b"POST /a?b=c HTTP/1.1\r\nContent-Length: 3\r\nX-Y:  z \r\n\r\nabcGET"
    for cut in range(len(raw)):
        buffer = bytearray(raw[:cut])
        request = take_head(buffer)
        buffer += raw[cut:]
        request = request or take_head(buffer)
        assert request is not None
        assert take_body(request, buffer)
        assert (request.path, request.query, request.headers["x-y"]) == ("/a", "b=c", "z")
        assert (request.body, bytes(buffer)) == (b"abc", b"GET")
