"""The permit that ``start`` takes: never over the limit, urgent first, nobody starved. In virtual time."""

from __future__ import annotations

import heapq
from collections.abc import Callable

import pytest

from interakt_jobs.ledger.client import JobOptions, NewJob
from interakt_jobs.ledger.keys import ACCOUNTS, mint_job_key
from interakt_jobs.ledger.record import Record
from interakt_jobs.ledger.redis_client import RedisClient
from worker.ledger.work_ledger import Work, WorkLedger

from .clock import Clock

DONE = ("done", "p", 201, "ok", 60, "0", "")


def set_rate(ledger: WorkLedger, rate: int, window_ms: int) -> None:
    ledger.link.command("HSET", f"{ledger.prefix}state", "rate", rate, "window_ms", window_ms)


def fill(ledger: WorkLedger, lane: str, number: int) -> None:
    jobs = [NewJob(mint_job_key(), "{}") for _ in range(number)]
    ledger.accept(JobOptions("send_text", lane), jobs)


def work(ledger: WorkLedger, clock: Clock, seconds: float, threads: int) -> list[tuple[float, str]]:
    """Deliver with so many threads, in virtual time; returns (time of the permit, lane) for each call made."""
    made: list[tuple[float, str]] = []
    ready: list[str] = []
    end = clock.now + seconds
    holding: dict[str, Work] = {}
    turns = [(clock.now, mint_job_key()) for _ in range(threads)]
    while turns[0][0] < end:
        at, token = heapq.heappop(turns)
        clock.set(at)
        if not ready:
            released = ledger.release("dispatcher", {"urgent": 20, "normal": 20, "bulk": 20})
            ready += (
                job_key
                for lane in ("urgent", "normal", "bulk")
                for job_key in released.job_keys.get(lane, ())
            )
        if token not in holding and ready:
            holding.update(zip([token], ledger.claim(token, [ready.pop(0)]), strict=False))
        rest = 0.005
        if job := holding.get(token):
            verdict = ledger.start(job.job_key, job.fence)
            if verdict.word == "go":
                made.append((at, Record.parse(job.record).lane))
                ledger.step(holding.pop(token), DONE)
                rest = 0.001
            else:
                rest = verdict.millis / 1000
        heapq.heappush(turns, (at + rest, token))
    clock.set(end)
    return made


def most_in_any(times: list[float], window: float) -> int:
    most, first = 0, 0
    for last, moment in enumerate(times):
        while moment - times[first] >= window:
            first += 1
        most = max(most, last - first + 1)
    return most


def test_no_sliding_window_holds_more_than_the_limit_and_little_is_wasted(
    ledger: WorkLedger, clock: Clock
) -> None:
    set_rate(ledger, 50, 1000)
    fill(ledger, "bulk", 400)
    made = work(ledger, clock, 4.0, threads=8)
    times = [moment for moment, _ in made]
    assert most_in_any(times, 1.0) <= 50
    assert len(times) > 170, "the allowance of four seconds is 200 calls"


def test_after_a_stall_the_backlog_does_not_burst(ledger: WorkLedger, clock: Clock) -> None:
    set_rate(ledger, 50, 1000)
    fill(ledger, "bulk", 300)
    first = work(ledger, clock, 0.5, threads=4)
    clock.advance(1.5)
    second = work(ledger, clock, 1.5, threads=4)
    assert most_in_any([moment for moment, _ in first + second], 1.0) <= 50


@pytest.mark.parametrize(("urgent", "lanes"), [(10, {"urgent", "bulk"}), (500, {"urgent", "bulk"})])
def test_bulk_gets_its_share_beside_urgent_work(
    ledger: WorkLedger, urgent: int, lanes: set[str], clock: Clock
) -> None:
    set_rate(ledger, 50, 1000)
    fill(ledger, "bulk", 500)
    fill(ledger, "urgent", urgent)
    ledger.link.command("HSET", f"{ledger.prefix}bud", "tat_urgent", int(clock.now * 1e6) + 9_500_000)
    made = work(ledger, clock, 2.5, threads=8)
    by_lane = {lane: sum(found == lane for _, found in made) for lane in ("urgent", "bulk")}
    assert {lane for lane, calls in by_lane.items() if calls} == lanes
    assert by_lane["bulk"] >= 20, by_lane
    assert by_lane["urgent"] >= min(urgent, 30), by_lane


def test_urgent_runs_ahead_of_a_saturated_bulk_lane(ledger: WorkLedger, clock: Clock) -> None:
    set_rate(ledger, 600, 60000)
    fill(ledger, "bulk", 200)
    work(ledger, clock, 0.5, threads=4)
    fill(ledger, "urgent", 3)
    job_keys = ledger.release("dispatcher", {"urgent": 8}).job_keys["urgent"]
    for job in ledger.claim("otp", job_keys):
        assert ledger.start(job.job_key, job.fence).word == "go", (
            "the credit lets a few urgent calls go at once"
        )


def test_a_call_that_may_not_go_yet_costs_nothing(ledger: WorkLedger, accept: Callable[..., str]) -> None:
    set_rate(ledger, 1, 60000)
    accept()
    accept()
    first, second = ledger.claim("t", ledger.release("dispatcher", {"normal": 8}).job_keys["normal"])
    assert ledger.start(first.job_key, first.fence).word == "go"
    spent = ledger.link.command("HGET", f"{ledger.prefix}bud", "tat")
    verdict = ledger.start(second.job_key, second.fence)
    assert (verdict.word, verdict.millis > 0) == ("wait", True)
    assert ledger.link.command("HGET", f"{ledger.prefix}bud", "tat") == spent


def test_the_pair_rate_makes_one_recipient_wait_and_nobody_else(
    ledger: WorkLedger, accept: Callable[..., str], clock: Clock
) -> None:
    ledger.link.command("HSET", f"{ledger.prefix}state", "pair_ms", 6000)
    accept(recipient="ann")
    again = accept(recipient="ann")
    accept(recipient="bob")
    jobs = ledger.claim("t", ledger.release("dispatcher", {"normal": 8}).job_keys["normal"])
    words = []
    for job in jobs:
        verdict = ledger.start(job.job_key, job.fence)
        while verdict.word == "wait":
            clock.advance(verdict.millis / 1000)
            verdict = ledger.start(job.job_key, job.fence)
        words.append(verdict.word)
    assert words == ["go", "back", "go"]
    assert ledger.read(again).state == "waiting"


def test_two_accounts_have_two_budgets(link: RedisClient, ledger: WorkLedger) -> None:
    from worker.process import REGISTER

    other = WorkLedger(link, "brand_b")
    link.command("SADD", ACCOUNTS, other.account)
    link.run(REGISTER, [other.prefix], 1, 60000)
    set_rate(ledger, 1, 60000)
    for each in (ledger, other):
        fill(each, "normal", 1)
        (job,) = each.claim("t", each.release("dispatcher", {"normal": 8}).job_keys["normal"])
        assert each.start(job.job_key, job.fence).word == "go"
