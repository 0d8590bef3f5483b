"""The sandbox fails on purpose, and says afterwards what happened to each call."""

from __future__ import annotations

import http.client
import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sandbox.control import ControlError, Sandbox

BODY = {
    "countryCode": "+91",
    "phoneNumber": "9999999999",
    "callbackData": "ij1.default.0a",
    "type": "Template",
    "template": {"name": "welcome_message", "languageCode": "en", "bodyValues": ["John"]},
}


class Caller:
    """One kept connection to a sandbox."""

    def __init__(self, sandbox: Sandbox, key: str | None = None) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=60)
        self.headers = {"Authorization": f"Basic {key or sandbox.key}", "Content-Type": "application/json"}

    def send(self, **changes: Any) -> http.client.HTTPResponse:
        body = json.dumps({**BODY, **changes})
        self.connection.request("POST", "/v1/public/message/", body, self.headers)
        return self.connection.getresponse()

    def status(self, **changes: Any) -> int:
        answer = self.send(**changes)
        answer.read()
        return answer.status


@pytest.fixture
def caller(sandbox: Sandbox) -> Iterator[Caller]:
    made = Caller(sandbox)
    yield made
    made.connection.close()


def record(sandbox: Sandbox) -> list[tuple[int | None, bool, str | None]]:
    return [(row["status"], row["accepted"], row["fault"]) for row in sandbox.calls()]


@pytest.mark.parametrize(
    ("fault", "status", "content"),
    [
        ({"share_429": 1}, 429, {"message": "Rate limit exceeded for this resource"}),
        ({"share_500": 1}, 500, {"result": False, "message": "Error processing the request."}),
        ({"share_503": 1}, 503, "<h1>503 Service Temporarily Unavailable</h1>"),
        ({"html_502": True}, 502, "<h1>502 Bad Gateway</h1>"),
        ({"result_false_2xx": 1, "message": "No."}, 200, {"result": False, "message": "No."}),
        ({"status": 401}, 401, {"result": False, "message": "Invalid token provided"}),
        ({"status": 403}, 403, "currently not supported on your Interakt account"),
        ({"status": 400}, 400, "wallet"),
        ({"status": 400, "message": "Odd."}, 400, {"result": False, "message": "Odd."}),
    ],
)
def test_an_answer_of_another_kind(
    sandbox: Sandbox, caller: Caller, fault: dict[str, Any], status: int, content: Any
) -> None:
    sandbox.faults(**fault)
    answer = caller.send()
    text = answer.read().decode()
    assert answer.status == status
    assert json.loads(text) == content if isinstance(content, dict) else content in text
    assert [(row[0], row[1]) for row in record(sandbox)] == [(status, False)]
    sandbox.faults()
    assert caller.status() == 201


@pytest.mark.parametrize(
    ("fault", "accepted", "metered"),
    [
        ({"reset_before_reading": 1}, False, 0),
        ({"reset_after_reading": 1}, False, 1),
        ({"reset_after_reading": 1, "accepted": True}, True, 1),
        ({"accept_lose_answer": 1}, True, 1),
    ],
)
def test_a_reset_connection(
    sandbox: Sandbox, caller: Caller, fault: dict[str, Any], accepted: bool, metered: int
) -> None:
    sandbox.faults(**fault)
    with pytest.raises(ConnectionResetError):
        caller.send()
    assert record(sandbox) == [(None, accepted, next(iter(fault)))]
    assert sandbox.summary()["accounts"][sandbox.account()]["calls"] == metered


def test_an_error_may_have_been_carried_out(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.faults(share_500=1, accepted=True)
    assert caller.status() == 500
    assert record(sandbox) == [(500, True, "share_500")]
    assert sandbox.jobs() == {"ij1.default.0a": (1, 1)}


def test_a_hang_ends_with_a_reset_and_no_answer(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.faults(share_hang=1, hang_seconds=0.3)
    start = time.monotonic()
    with pytest.raises(ConnectionResetError):
        caller.send()
    assert time.monotonic() - start > 0.25
    assert record(sandbox) == [(None, False, "share_hang")]


def test_a_client_that_leaves_before_the_answer_is_seen_to_have_none(
    sandbox: Sandbox, caller: Caller
) -> None:
    sandbox.faults(hold=True)
    caller.connection.timeout = 1
    with pytest.raises(TimeoutError):
        caller.send()
    assert sandbox.summary()["simultaneous"] == 1
    caller.connection.close()
    sandbox.wait_for(lambda summary: summary["simultaneous"] == 0)
    sandbox.faults()
    assert record(sandbox) == [(None, True, None)]


def test_latency_is_within_its_bounds(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.faults(latency_ms=[200, 300])
    start = time.monotonic()
    assert caller.status() == 201
    assert 0.2 <= time.monotonic() - start < 60


def test_calls_are_held_until_the_rules_change_and_simultaneous_ones_counted(sandbox: Sandbox) -> None:
    sandbox.faults(hold=True)
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(Caller(sandbox).status) for _ in range(8)]
        sandbox.wait_for(lambda summary: summary["simultaneous"] == 8)
        assert not any(call.done() for call in calls)
        assert sandbox.faults(latency_ms=0)["rules"][0]["hold"] is False
        assert [call.result() for call in calls] == [201] * 8
    summary = sandbox.summary()
    assert (summary["peak_simultaneous"], summary["simultaneous"]) == (8, 0)
    assert record(sandbox) == [(201, True, None)] * 8


def test_a_dripping_answer_comes_byte_by_byte(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.faults(drip_bytes=1, drip_ms=2)
    start = time.monotonic()
    answer = caller.send()
    assert json.loads(answer.read())["result"] is True
    assert time.monotonic() - start > 0.2
    assert record(sandbox) == [(201, True, "drip_bytes")]
    sandbox.faults()
    assert caller.status() == 201


def test_an_endless_answer_goes_on_until_the_client_leaves(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.faults(endless_body=1)
    answer = caller.send()
    assert len(answer.read(1_000_000)) == 1_000_000
    answer.close()
    caller.connection.close()
    sandbox.faults()
    assert Caller(sandbox).status() == 201
    sandbox.wait_for(lambda summary: summary["simultaneous"] == 0)


def test_a_fault_can_be_kept_to_operations_jobs_accounts_and_times(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.faults(share_500=1, only_operations=["send_text"])
    assert caller.status() == 201
    sandbox.faults(share_500=1, only_jobs=["ij1.default.0b"])
    assert caller.status() == 201
    assert caller.status(callbackData="ij1.default.0b|x") == 500
    sandbox.faults(share_500=1, only_accounts=[sandbox.account()])
    assert caller.status() == 500
    assert Caller(sandbox, sandbox.key_for("other")).status() == 201
    sandbox.faults({"share_500": 1, "times": 2}, {"share_503": 1, "times": 1})
    assert [caller.status() for _ in range(4)] == [500, 500, 503, 201]


def test_a_seed_repeats_a_run(sandbox: Sandbox, caller: Caller) -> None:
    runs = []
    for _ in range(2):
        sandbox.faults(share_500=0.5, seed=7)
        runs.append([caller.status() for _ in range(20)])
    assert runs[0] == runs[1]
    assert len(set(runs[0])) == 2


def test_a_wrong_fault_is_refused_with_the_known_names(sandbox: Sandbox) -> None:
    with pytest.raises(ControlError, match=r"share_418: unknown, known are .*share_500"):
        sandbox.faults(share_418=1)
    assert sandbox.faults()["rules"] == []


def test_a_call_refused_by_the_limit_uses_up_no_fault(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.settings(calls_per_minute=1)
    sandbox.faults(share_500=1, times=2)
    assert [caller.status() for _ in range(3)] == [500, 429, 429]
    assert sandbox._json("GET", "faults")["rules"][0]["times"] == 1


def test_the_sliding_limit_is_exact(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.settings(calls_per_minute=300, window_seconds=1)
    statuses: list[int] = []
    while statuses.count(201) < 15:
        statuses.append(caller.status())
    allowed = [row["arrived"] for row in sandbox.calls() if row["status"] == 201]
    assert max(sum(1 for at in allowed if begin <= at < begin + 1) for begin in allowed) == 5
    account = sandbox.summary()["accounts"][sandbox.account()]
    assert account["peak_in_window"] > 5
    assert account["over_limit"] > 0


def test_the_fixed_limit_is_exact_in_each_aligned_window(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.settings(calls_per_minute=300, window_seconds=1, window="fixed")
    statuses: list[int] = []
    while statuses.count(201) < 15:
        statuses.append(caller.status())
    asked = Counter(int(row["arrived"]) for row in sandbox.calls())
    allowed = Counter(int(row["arrived"]) for row in sandbox.calls() if row["status"] == 201)
    assert allowed == {frame: min(5, calls) for frame, calls in asked.items()}
    assert max(asked.values()) > 5


def test_the_limit_is_each_keys_own_and_can_be_set_for_one(sandbox: Sandbox, caller: Caller) -> None:
    other = sandbox.key_for("other")
    sandbox.settings(calls_per_minute=2)
    assert [caller.status() for _ in range(3)] == [201, 201, 429]
    assert Caller(sandbox, other).status() == 201
    sandbox.settings(account=sandbox.account(other), calls_per_minute=1)
    assert [Caller(sandbox, other).status() for _ in range(2)] == [201, 429]


@pytest.mark.parametrize("switch", [True, False])
def test_retry_after_comes_only_when_asked_for(sandbox: Sandbox, caller: Caller, switch: bool) -> None:
    sandbox.settings(calls_per_minute=1, retry_after=switch)
    caller.status()
    answer = caller.send()
    answer.read()
    assert answer.status == 429
    seconds = answer.getheader("Retry-After")
    assert (seconds is not None and 1 <= int(seconds) <= 60) is switch


def test_idle_connections_can_be_closed_by_the_server(sandbox: Sandbox) -> None:
    sandbox.settings(keepalive_seconds=0.2)
    caller = Caller(sandbox)
    assert caller.status() == 201
    time.sleep(0.5)
    assert caller.connection.sock.recv(1) == b""
    sandbox.settings(keepalive_seconds=0)
