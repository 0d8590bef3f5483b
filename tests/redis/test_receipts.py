"""Receipts: in any order, doubled, before the answer, for jobs whose answer was lost."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from worker.ledger.dead_letters import DeadLetters, Filter
from worker.ledger.work_ledger import WorkLedger
from worker.webhooks.receipts import apply_receipt

from .test_ledger import DONE, ONE, holds_end, places, receipts_live, run_to_start

Accept = Callable[..., str]
KEPT = (*DONE[:5], "1", "")


@pytest.mark.parametrize("order", list(itertools.permutations(["sent", "delivered", "read"])))
def test_the_highest_rank_wins_in_any_order(
    ledger: WorkLedger, accept: Accept, order: tuple[str, ...]
) -> None:
    job_key = accept()
    ledger.step(run_to_start(ledger), DONE)
    for kind in (*order, *order):
        apply_receipt(ledger, job_key, kind, at_ms=5)
    assert ledger.read(job_key).delivery == "4.read.5."


@pytest.mark.parametrize("policy", ["after_hold", "never"])
def test_a_receipt_settles_an_unknown_job_so_that_it_is_never_repeated(
    ledger: WorkLedger, accept: Accept, policy: str
) -> None:
    receipts_live(ledger)
    job_key = accept(repeat=policy)
    ledger.step(run_to_start(ledger), ("unknown", "timeout", "", 1))
    assert apply_receipt(ledger, job_key, "sent", at_ms=5).job == "settled"
    holds_end(ledger)
    assert ledger.release("dispatcher", ONE).job_keys == {}
    reading = ledger.read(job_key)
    assert (reading.state, reading.ambiguous, reading.delivery) == ("done", False, "1.sent.5.")
    assert places(ledger, job_key) == []


def test_a_receipt_after_the_job_was_sent_again_marks_it_ambiguous(
    ledger: WorkLedger, accept: Accept
) -> None:
    receipts_live(ledger)
    job_key = accept()
    ledger.step(run_to_start(ledger), ("unknown", "timeout", "", 1))
    holds_end(ledger)
    again = run_to_start(ledger)
    assert apply_receipt(ledger, job_key, "delivered", at_ms=5).job == "known"
    ledger.step(again, DONE)
    reading = ledger.read(job_key)
    assert (reading.state, reading.ambiguous, reading.delivery) == ("done", True, "3.delivered.5.")


def test_a_receipt_that_comes_before_the_answer_is_not_lost(ledger: WorkLedger, accept: Accept) -> None:
    job_key = accept()
    work = run_to_start(ledger)
    assert apply_receipt(ledger, job_key, "delivered", at_ms=7).delivery == "none"
    ledger.step(work, DONE)
    assert ledger.read(job_key).delivery == "3.delivered.7."


def test_a_failed_delivery_is_listed_and_can_be_replayed(ledger: WorkLedger, accept: Accept) -> None:
    job_key = accept(payload='{"type":"Text"}')
    ledger.step(run_to_start(ledger), KEPT)
    apply_receipt(ledger, job_key, "failed", at_ms=5, code="131026")
    letters = DeadLetters(ledger, who="ann")
    assert [letter.job_key for letter in letters.find(Filter(delivery_failed=True))] == [job_key]
    assert letters.replay(job_key) == "replayed"
    assert letters.replay(job_key) == "alive"
    assert ledger.read(job_key).payload == {"type": "Text"}
    ledger.step(run_to_start(ledger), DONE)
    assert ledger.read(job_key).state == "done"
    assert list(letters.find(Filter(delivery_failed=True))) == []


def test_a_delivery_after_a_failure_takes_it_off_the_list(ledger: WorkLedger, accept: Accept) -> None:
    job_key = accept()
    ledger.step(run_to_start(ledger), KEPT)
    apply_receipt(ledger, job_key, "failed", at_ms=5, code="131026")
    apply_receipt(ledger, job_key, "delivered", at_ms=6)
    assert list(DeadLetters(ledger).find(Filter(delivery_failed=True))) == []
    assert ledger.read(job_key).payload is None, "the payload is not kept once it cannot be replayed"


def test_a_job_may_ask_to_be_sent_again_on_some_codes(ledger: WorkLedger, accept: Accept) -> None:
    job_key = accept(options='{"resend_on":[131049]}')
    ledger.step(run_to_start(ledger), DONE)
    assert apply_receipt(ledger, job_key, "failed", at_ms=5, code="131026").delivery == "new"
    other = accept(options='{"resend_on":[131049]}')
    ledger.step(run_to_start(ledger), DONE)
    for _ in range(2):  # whoever heard the first may have died before he acted
        assert apply_receipt(ledger, other, "failed", at_ms=5, code="131049").delivery == "resend"


def test_a_receipt_for_nobody_is_counted_and_changes_nothing(ledger: WorkLedger) -> None:
    assert apply_receipt(ledger, "0" * 32, "sent", at_ms=1) == ("missing", "none")


def test_the_buckets_counted_in_lua_are_those_that_prometheus_is_shown(
    ledger: WorkLedger, accept: Accept
) -> None:
    from interakt_jobs.ledger.constants import as_lua
    from worker.ledger.work_ledger import STEP
    from worker.web.buckets import BOUNDS

    accept()
    ledger.step(run_to_start(ledger), DONE)
    for name in ("wait", "call"):
        assert f"['{name}'] = {as_lua(BOUNDS[name])}" in STEP.text
    flat = ledger.link.command("HGETALL", f"{ledger.prefix}count")
    counts = {name.decode(): int(value) for name, value in zip(flat[::2], flat[1::2], strict=True)}
    assert counts["wait_le|normal|50"] == counts["call_le|send_text|50"] == 1
