"""What may have been sent: proof that comes before the answer, counts of doubt, replays."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from worker.ledger.dead_letters import DeadLetters
from worker.ledger.work_ledger import WorkLedger
from worker.webhooks.receipts import apply_receipt

from .clock import Clock
from .test_ledger import DONE, ONE, holds_end, places, reap, receipts_live, run_to_start

Accept = Callable[..., str]
UNKNOWN = ("unknown", "timeout", "", 1)
OTHERS = {
    "unknown": ("unknown", "timeout", "", 1),
    "retry": ("retry", 1, "HTTP 503", ""),
    "throttled": ("throttled", 1),
    "unsent": ("unsent",),
    "account": ("account", "account: wallet", ""),
    "template": ("template", "No approved template", ""),
    "dead": ("dead", "rejected", "no", 400, ""),
}


@pytest.mark.parametrize("outcome", OTHERS)
def test_a_receipt_before_the_answer_settles_the_job_whatever_the_answer_is(
    ledger: WorkLedger, accept: Accept, outcome: str
) -> None:
    receipts_live(ledger)
    job_key = accept(group="offer:en")
    work = run_to_start(ledger)
    apply_receipt(ledger, job_key, "delivered", at_ms=7, provider_id="p-1")
    assert ledger.step(work, OTHERS[outcome])[0] == "ok"
    reading = ledger.read(job_key)
    assert (reading.state, reading.ambiguous, reading.delivery, reading.provider_id) == (
        "done",
        False,
        "3.delivered.7.",
        "p-1",
    )
    assert places(ledger, job_key) == []


def test_a_receipt_before_the_workers_death_settles_the_job(
    ledger: WorkLedger, accept: Accept, clock: Clock
) -> None:
    ledger.lease_ms = 5
    job_key = accept(repeat="never")
    run_to_start(ledger)
    apply_receipt(ledger, job_key, "sent", at_ms=7)
    clock.advance(0.01)
    reap(ledger)
    assert ledger.read(job_key).state == "done"


def test_an_earlier_receipt_of_a_higher_rank_is_not_lost_to_a_later_one(
    ledger: WorkLedger, accept: Accept
) -> None:
    job_key = accept()
    work = run_to_start(ledger)
    apply_receipt(ledger, job_key, "read", at_ms=9)
    apply_receipt(ledger, job_key, "sent", at_ms=7)
    ledger.step(work, DONE)
    assert ledger.read(job_key).delivery == "4.read.9."


def test_a_receipt_settles_a_job_whose_answer_said_that_nothing_was_done(
    ledger: WorkLedger, accept: Accept
) -> None:
    job_key = accept()
    ledger.step(run_to_start(ledger), ("retry", 60_000, "HTTP 503", ""))
    assert apply_receipt(ledger, job_key, "sent", at_ms=7).job == "settled"
    assert ledger.read(job_key).state == "done"


def unknown_and_ready_again(ledger: WorkLedger) -> None:
    ledger.step(run_to_start(ledger), UNKNOWN)
    assert holds_end(ledger)["ended"] == 1


def test_two_unknown_sends_are_ambiguous_though_a_third_never_left(
    ledger: WorkLedger, accept: Accept
) -> None:
    receipts_live(ledger)
    job_key = accept()
    unknown_and_ready_again(ledger)
    unknown_and_ready_again(ledger)
    ledger.step(run_to_start(ledger), ("unsent",))
    apply_receipt(ledger, job_key, "sent", at_ms=7)
    assert ledger.read(job_key).ambiguous


def test_one_unknown_send_and_one_that_never_left_are_not_ambiguous(
    ledger: WorkLedger, accept: Accept
) -> None:
    receipts_live(ledger)
    job_key = accept()
    unknown_and_ready_again(ledger)
    ledger.step(run_to_start(ledger), ("retry", 60_000, "HTTP 503", ""))
    apply_receipt(ledger, job_key, "sent", at_ms=7)
    reading = ledger.read(job_key)
    assert (reading.state, reading.ambiguous) == ("done", False)


def test_a_late_answer_stops_a_job_that_runs_again_from_being_sent_once_more(
    ledger: WorkLedger, accept: Accept, clock: Clock
) -> None:
    receipts_live(ledger)
    ledger.lease_ms = 5
    job_key = accept()
    first = run_to_start(ledger)
    clock.advance(0.01)
    reap(ledger)
    holds_end(ledger)
    ledger.lease_ms = 30_000
    second = run_to_start(ledger)
    assert ledger.step(first, DONE)[0] == "gone"
    ledger.step(second, ("retry", 1, "HTTP 503", ""))
    reading = ledger.read(job_key)
    assert (reading.state, reading.provider_id, reading.ambiguous) == ("done", "provider-1", False)


def test_a_replay_of_what_may_have_been_sent_is_ambiguous(ledger: WorkLedger, accept: Accept) -> None:
    job_key = accept(repeat="never")
    ledger.step(run_to_start(ledger), UNKNOWN)
    assert DeadLetters(ledger).replay(job_key, allow_duplicates=True) == "replayed"
    ledger.step(run_to_start(ledger), DONE)
    assert ledger.read(job_key).ambiguous


def test_a_refusal_after_an_unknown_send_is_not_replayed_by_itself_and_a_receipt_settles_it(
    ledger: WorkLedger, accept: Accept
) -> None:
    receipts_live(ledger)
    job_key = accept()
    unknown_and_ready_again(ledger)
    ledger.step(run_to_start(ledger), ("dead", "rejected", "no", 400, ""))
    assert (ledger.read(job_key).state, DeadLetters(ledger).replay(job_key)) == ("unknown", "alive")
    holds_end(ledger)
    assert (ledger.read(job_key).reason, DeadLetters(ledger).replay(job_key)) == (
        "rejected",
        "unknown_outcome",
    )
    assert apply_receipt(ledger, job_key, "sent", at_ms=7).job == "settled"
    assert ledger.read(job_key).state == "done"


def test_a_receipt_of_the_round_before_does_not_settle_a_replay(ledger: WorkLedger, accept: Accept) -> None:
    job_key = accept()
    ledger.step(run_to_start(ledger), (*DONE[:5], "1", ""))
    long_ago = int(time.time() * 1000) - 60_000
    apply_receipt(ledger, job_key, "failed", at_ms=long_ago, code="131026")
    assert DeadLetters(ledger).replay(job_key) == "replayed"
    assert apply_receipt(ledger, job_key, "failed", at_ms=long_ago, code="131026") == ("known", "old")
    ledger.step(run_to_start(ledger), (*DONE[:5], "1", ""))
    assert apply_receipt(ledger, job_key, "failed", at_ms=long_ago, code="131026") == ("known", "old")
    assert ledger.read(job_key).delivery == ""


@pytest.mark.parametrize("text", ["a|b", "a\nb", "\x00|\r\n", "é" * 300, "|" * 20])
def test_text_of_a_provider_cannot_break_what_the_ledger_keeps(
    ledger: WorkLedger, accept: Accept, text: str
) -> None:
    job_key = accept(options='{"on_done":"app.task","on_receipts":true}')
    ledger.step(run_to_start(ledger), ("done", text, 201, text, 3600, "1", ""))
    assert apply_receipt(ledger, job_key, "failed", at_ms=-5, code=text, provider_id=text).delivery == "new"
    assert apply_receipt(ledger, job_key, "read", at_ms=9, code=text, provider_id=text).delivery == "new"
    reading = ledger.read(job_key)
    assert (reading.state, reading.status, reading.delivery[:8]) == ("done", 201, "4.read.9")
    assert ledger.release("dispatcher", ONE).job_keys == {}


def test_a_job_that_was_to_expire_before_it_was_due_can_be_replayed(
    ledger: WorkLedger, accept: Accept, clock: Clock
) -> None:
    job_key = accept(not_before="+3600000", expires=str(int(clock.now * 1000) + 5))
    clock.advance(0.01)
    assert reap(ledger)["dead"] == 1
    DeadLetters(ledger).replay(job_key)
    reap(ledger)
    ledger.step(run_to_start(ledger), DONE)
    assert ledger.read(job_key).state == "done"


def test_a_job_that_is_cancelled_while_it_is_held_says_that_it_may_have_been_sent(
    ledger: WorkLedger, accept: Accept
) -> None:
    receipts_live(ledger)
    held, fresh = accept(), accept(not_before="+9999")
    work = run_to_start(ledger)
    assert ledger.step(work, OTHERS["unknown"])[0] == "ok"
    for job_key in (held, fresh):
        ledger.cancel(job_key)
    assert (ledger.read(held).state, ledger.read(fresh).state) == ("unknown", "cancelled")
    holds_end(ledger)
    for job_key in (held, fresh):
        assert ledger.read(job_key).state == "cancelled"
    assert "may have been sent" in ledger.read(held).message
    assert ledger.read(fresh).message == ""
    assert places(ledger, held) == []
