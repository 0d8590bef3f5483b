"""Paused accounts and templates: what pauses ends, by one probe, and nobody is held up by it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import pytest

from worker.ledger import accounts
from worker.ledger.work_ledger import WorkLedger

from .clock import Clock
from .test_ledger import DONE, WANTED, reap, run_to_claim, run_to_start

Accept = Callable[..., str]
REFUSED = ("account", "account: wallet", "")


def state(ledger: WorkLedger, name: str) -> str:
    return (ledger.link.command("HGET", f"{ledger.prefix}state", name) or b"").decode()


def end_pause(ledger: WorkLedger) -> None:
    ledger.link.command("HSET", f"{ledger.prefix}state", "paused_until", "1")


def spend_budget(ledger: WorkLedger, ms: int) -> None:
    seconds, micro = ledger.link.command("TIME")
    ledger.link.command(
        "HSET", f"{ledger.prefix}bud", "tat", int(seconds) * 1_000_000 + int(micro) + ms * 1000
    )


def test_a_probe_that_waits_for_its_permit_is_still_the_probe(
    ledger: WorkLedger, accept: Accept, clock: Clock
) -> None:
    job_key = accept(group="offer:en")
    ledger.link.command("HSET", f"{ledger.prefix}groups", "offer:en", "1|1|why")
    work = run_to_claim(ledger)
    spend_budget(ledger, 200)
    assert ledger.start(job_key, work.fence).word == "wait"
    assert ledger.start(job_key, work.fence).word == "wait"
    clock.advance(0.25)
    assert ledger.start(job_key, work.fence).word == "go"


@pytest.mark.parametrize("group", ["", "offer:en"])
def test_a_job_that_is_given_back_holds_no_probe(
    ledger: WorkLedger, accept: Accept, group: str, clock: Clock
) -> None:
    ledger.link.command("HSET", f"{ledger.prefix}state", "pair_ms", 60_000, "breaker", "open")
    ledger.link.command("HSET", f"{ledger.prefix}groups", "offer:en", "1|1|why")
    accept(recipient="a", group=group)
    ledger.step(run_to_start(ledger), ("retry", 1, "HTTP 503", ""))
    limited = accept(recipient="a", group=group)
    other = accept(recipient="b", group=group)
    released = ledger.release("dispatcher", WANTED).job_keys.get("normal", [])
    for _ in range(3):
        clock.advance(0.05)
        for work in ledger.claim("t", released):
            verdict = ledger.start(work.job_key, work.fence)
            if verdict.word == "go":
                assert work.job_key == other
                return
        released = ledger.release("dispatcher", WANTED).job_keys.get("normal", [])
    raise AssertionError(f"{limited} held the probe")


def test_a_job_that_alone_is_refused_does_not_keep_the_others_from_probing(
    ledger: WorkLedger, accept: Accept, clock: Clock
) -> None:
    bad, good = accept(), accept()
    clock.advance(0.002)  # a refused job goes behind those of earlier milliseconds
    ledger.step(run_to_start(ledger), REFUSED)
    end_pause(ledger)
    work = run_to_start(ledger)
    assert work.job_key == good
    ledger.step(work, DONE)
    assert state(ledger, "breaker") == "closed"
    assert run_to_start(ledger).job_key == bad


def test_an_answer_to_a_call_from_before_the_pause_does_not_end_it(
    ledger: WorkLedger, accept: Accept, clock: Clock
) -> None:
    accept(), accept()
    first, second = ledger.claim("t", ledger.release("dispatcher", WANTED).job_keys["normal"])
    for work in (first, second):
        while ledger.start(work.job_key, work.fence).word != "go":
            clock.advance(0.001)
    clock.advance(0.002)
    ledger.step(first, REFUSED)
    ledger.step(second, DONE)
    assert state(ledger, "breaker") == "open"
    assert int(state(ledger, "paused_until")) > clock.now * 1000 + 20_000


def test_a_pause_by_hand_is_not_cut_short_by_a_refusal(ledger: WorkLedger, accept: Accept) -> None:
    accept()
    work = run_to_start(ledger)
    accounts.pause(ledger, 3600, "stocktaking")
    ledger.step(work, REFUSED)
    assert int(state(ledger, "paused_until")) > time.time() * 1000 + 3_000_000
    assert state(ledger, "why") == "stocktaking"


def test_a_breaker_closes_after_a_pause_by_hand_has_passed(ledger: WorkLedger, accept: Accept) -> None:
    accounts.pause(ledger, 0, "a moment")
    accept()
    ledger.step(run_to_start(ledger), REFUSED)
    end_pause(ledger)
    ledger.step(run_to_start(ledger), DONE)
    assert state(ledger, "breaker") == "closed"


def test_a_refused_template_is_an_answer_of_a_working_account(ledger: WorkLedger, accept: Accept) -> None:
    accept(group="offer:en")
    ledger.link.command("HSET", f"{ledger.prefix}state", "breaker", "open", "paused_until", "1")
    ledger.step(run_to_start(ledger), ("template", "No approved template", ""))
    assert state(ledger, "breaker") == "closed"


def test_a_file_that_cannot_be_had_says_nothing_of_the_account(ledger: WorkLedger, accept: Accept) -> None:
    for _ in range(12):
        accept()
        ledger.step(run_to_claim(ledger), ("retry", 60_000, "no such file", ""))
    assert state(ledger, "breaker") != "open"


def test_jobs_of_a_template_paused_for_too_long_die_of_age(
    ledger: WorkLedger, accept: Accept, clock: Clock
) -> None:
    accept(group="offer:en")
    ledger.step(run_to_start(ledger), ("template", "No approved template", ""))
    old, young = accept(group="offer:en"), accept(group="offer:en", not_before="+100")
    for job_key in (old, young):
        ledger.link.command("ZREM", f"{ledger.prefix}ready:normal", job_key)
        due = ledger.read(job_key).due
        ledger.link.command("ZADD", f"{ledger.prefix}waiting_for_template:offer:en", due, job_key)
    clock.advance(0.06)
    ledger.link.command("HSET", f"{ledger.prefix}state", "max_age", "50")
    assert reap(ledger)["dead"] == 2
    assert ledger.read(old).reason == "too_old"
    assert ledger.read(young).state == "waiting_for_template"


def test_a_pause_that_nobody_asks_about_is_forgotten(ledger: WorkLedger) -> None:
    long_ago = int(time.time() * 1000) - 90_000_000
    ledger.link.command("HSET", f"{ledger.prefix}groups", "typo:en", f"{long_ago}|1|why")
    accounts.pause_template(ledger, "offer:en", 60, "by hand")
    reap(ledger)
    assert ledger.link.command("HKEYS", f"{ledger.prefix}groups") == [b"offer:en"]


def test_a_cut_rate_releases_nothing_that_would_only_be_given_back(
    ledger: WorkLedger, accept: Accept, clock: Clock
) -> None:
    job_key = accept()
    spend_budget(ledger, 1500)
    assert ledger.release("dispatcher", WANTED).job_keys == {}
    clock.advance(0.55)
    assert ledger.release("dispatcher", WANTED).job_keys == {"normal": [job_key]}


@pytest.mark.parametrize("outcome", [("retry", 1, "HTTP 503", ""), REFUSED])
def test_calls_that_left_before_the_breaker_opened_do_not_lengthen_its_pause(
    ledger: WorkLedger, accept: Accept, outcome: Sequence[str | int], clock: Clock
) -> None:
    for _ in range(20):
        accept()
    works = ledger.claim("t", ledger.release("dispatcher", {"normal": 20}).job_keys["normal"])
    for work in works:
        while (verdict := ledger.start(work.job_key, work.fence)).word == "wait":
            clock.advance(verdict.millis / 1000)
    assert len(works) == 20
    clock.advance(0.01)
    for work in works[:12]:
        ledger.step(work, outcome)
    assert (state(ledger, "breaker"), state(ledger, "opened")) == ("open", "1")
    end_pause(ledger)
    for work in works[12:]:
        ledger.step(work, outcome)
    assert state(ledger, "opened") == "1"
