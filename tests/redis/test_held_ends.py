"""An end that a receipt may still change is held; what comes after an end is a named correction, and each is told once."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from interakt_jobs.event import JobEvent
from interakt_jobs.result import event_of, outcome
from worker.ledger.dead_letters import DeadLetters
from worker.ledger.work_ledger import WorkLedger
from worker.webhooks.receipts import apply_receipt

from .test_ledger import DONE, holds_end, places, reap, receipts_live, run_to_start

Accept = Callable[..., str]
LOST = ("unknown", "timeout", '{"at":1}', 1)
REFUSED = ("dead", "rejected", "no", 400, "")
TOLD = '{"on_done":"shop.told","on_receipts":true}'
ID = "ij1.default."


def webhooks(ledger: WorkLedger, **facts: object) -> None:
    """The account has a webhook secret; ``facts`` are as a worker registers them."""
    for name, value in {"webhooks": 1, **facts}.items():
        ledger.link.command("HSET", f"{ledger.prefix}state", name, str(value))


def told(ledger: WorkLedger) -> list[tuple[Any, ...]]:
    """What callers are told, in order: event, state, reason, was, round; the sequence rises."""
    entries = [json.loads(raw) for raw in ledger.link.command("LRANGE", f"{ledger.prefix}outbox", 0, -1)]
    numbers = [entry["sequence"] for entry in entries]
    assert numbers == sorted(set(numbers)), numbers
    return [tuple(entry[name] for name in ("event", "state", "reason", "was", "round")) for entry in entries]


def now() -> int:
    return int(time.time() * 1000)


def expire(ledger: WorkLedger, tail: str) -> None:
    """The time at which a job was to expire has come."""
    head, _, rest = ledger.link.command("GET", f"{ledger.prefix}j:{tail}").decode().partition("\n")
    fields = head.split("|")
    fields[5] = "1"
    ledger.link.command("SET", f"{ledger.prefix}j:{tail}", "|".join(fields) + "\n" + rest)
    if ledger.link.command("ZSCORE", f"{ledger.prefix}expires", tail) is not None:
        ledger.link.command("ZADD", f"{ledger.prefix}expires", 1, tail)


def lose(ledger: WorkLedger, tail: str) -> None:
    assert run_to_start_of(ledger, LOST) == tail


def run_to_start_of(ledger: WorkLedger, answer: tuple[Any, ...]) -> str:
    work = run_to_start(ledger)
    ledger.step(work, answer)
    return work.tail


def worker_dies(ledger: WorkLedger, lane: str = "normal") -> None:
    tail = run_to_start(ledger).tail
    ledger.link.command("ZADD", f"{ledger.prefix}run:{lane}", 1, tail)
    reap(ledger)


def crash_loops(ledger: WorkLedger, tail: str) -> None:
    for _ in range(2):
        worker_dies(ledger)
        holds_end(ledger)
    worker_dies(ledger)


def repeated_and_refused(ledger: WorkLedger, tail: str) -> None:
    lose(ledger, tail)
    holds_end(ledger)
    run_to_start_of(ledger, REFUSED)


def repeated_and_tried_in_vain(ledger: WorkLedger, tail: str) -> None:
    lose(ledger, tail)
    holds_end(ledger)
    run_to_start_of(ledger, ("retry", 1, "HTTP 503", ""))


def repeated_and_expired(ledger: WorkLedger, tail: str) -> None:
    lose(ledger, tail)
    holds_end(ledger)
    expire(ledger, tail)
    reap(ledger)


def expired_at_its_start(ledger: WorkLedger, tail: str) -> None:
    lose(ledger, tail)
    holds_end(ledger)
    released = ledger.release("pacer", {"normal": 1})
    (work,) = ledger.claim("w", released.tails["normal"])
    expire(ledger, tail)
    assert ledger.start(tail, work.fence).word == "dead"


def cancelled(ledger: WorkLedger, tail: str) -> None:
    lose(ledger, tail)
    ledger.cancel(tail)
    ledger.cancel(tail)


def cancelled_while_it_waits_to_be_repeated(ledger: WorkLedger, tail: str) -> None:
    lose(ledger, tail)
    holds_end(ledger)
    ledger.cancel(tail)


# How a job comes to its end: its policy and most attempts, what happens, and the end if no receipt comes.
WAYS: dict[str, tuple[dict[str, Any], Callable[[WorkLedger, str], None], tuple[str, str]]] = {
    "never": ({"repeat": "never"}, lose, ("dead", "unknown_outcome")),
    "never, the worker dies": (
        {"repeat": "never"},
        lambda ledger, _: worker_dies(ledger),
        ("dead", "unknown_outcome"),
    ),
    "max attempts": ({"max_attempts": 1}, lose, ("dead", "unknown_outcome")),
    "always, max attempts": ({"repeat": "always", "max_attempts": 1}, lose, ("dead", "max_attempts")),
    "crash loop": ({}, crash_loops, ("dead", "crash_loop")),
    "rejected": ({}, repeated_and_refused, ("dead", "rejected")),
    "max attempts, the last not sent": (
        {"max_attempts": 2},
        repeated_and_tried_in_vain,
        ("dead", "max_attempts"),
    ),
    "expired": ({"expires": "+600000"}, repeated_and_expired, ("dead", "unknown_outcome")),
    "expired at its start": ({"expires": "+600000"}, expired_at_its_start, ("dead", "unknown_outcome")),
    "cancelled": ({"repeat": "never"}, cancelled, ("cancelled", "")),
    "cancelled before its repeat": ({}, cancelled_while_it_waits_to_be_repeated, ("cancelled", "")),
}


@pytest.mark.parametrize("way", WAYS)
def test_an_end_is_held_and_a_receipt_makes_it_done_with_one_notice(
    ledger: WorkLedger, accept: Accept, way: str
) -> None:
    terms, happens, _ = WAYS[way]
    receipts_live(ledger)
    webhooks(ledger)
    tail = accept(options='{"on_done":"shop.told"}', **terms)
    happens(ledger, tail)
    assert (ledger.read(tail).state, places(ledger, tail), told(ledger)) == ("unknown", ["held"], [])
    reap(ledger)
    assert places(ledger, tail) == ["held"]
    assert apply_receipt(ledger, tail, "delivered", at_ms=now()).job == "settled"
    assert told(ledger) == [("ended", "done", "", "", 0)]
    assert (ledger.read(tail).state, ledger.read(tail).was) == ("done", "")
    for name in ("ending", "maybe", "tries", "held", "expires"):
        assert not ledger.link.command("EXISTS", f"{ledger.prefix}{name}"), name


@pytest.mark.parametrize("kind", ["sent", "failed", "read"])
@pytest.mark.parametrize("way", WAYS)
def test_without_a_receipt_it_ends_and_one_that_comes_then_corrects_that(
    ledger: WorkLedger, accept: Accept, way: str, kind: str
) -> None:
    terms, happens, (state, reason) = WAYS[way]
    receipts_live(ledger)
    webhooks(ledger)
    tail = accept(options=TOLD, **terms)
    happens(ledger, tail)
    holds_end(ledger)
    reading = ledger.read(tail)
    assert (reading.state, reading.reason) == (state, reason)
    assert ledger.release("pacer", {"normal": 9}).tails == {}, "it is sent again"
    ended = ("ended", state, reason, "", 0)
    assert told(ledger) == [ended]
    assert apply_receipt(ledger, tail, kind, at_ms=now(), code="131026", provider_id="p").job == "settled"
    receipt = ("receipt", kind, "131026", state, 0)
    assert told(ledger) == [ended, ("corrected", "done", "", state, 0), receipt]
    apply_receipt(ledger, tail, kind, at_ms=now(), code="131026", provider_id="p")
    reading = ledger.read(tail)
    assert (reading.state, reading.was, len(told(ledger))) == ("done", state, 3)
    assert outcome(tail, reading)["was"] == state
    for name in ("ending", "maybe", "tries", "held", "dead", "expires"):
        assert not ledger.link.command("EXISTS", f"{ledger.prefix}{name}"), name


@pytest.mark.parametrize("was", ["dead", "cancelled"])
def test_a_late_answer_corrects_an_end_too(ledger: WorkLedger, accept: Accept, was: str) -> None:
    webhooks(ledger)
    tail = accept(repeat="never", options=TOLD)
    work = run_to_start(ledger)
    ledger.link.command("ZADD", f"{ledger.prefix}run:normal", 1, tail)
    reap(ledger)
    if was == "cancelled":
        ledger.cancel(tail)
    holds_end(ledger)
    assert ledger.step(work, DONE)[0] == "settled"
    assert ledger.step(work, DONE)[0] == "already"
    assert told(ledger)[1:] == [("corrected", "done", "", was, 0)]
    assert ledger.read(tail).provider_id == "provider-1"


@pytest.mark.parametrize(
    "operation", ["send_rcs_text", "track_event", "create_template", "upload_template_media"]
)
@pytest.mark.parametrize("repeat", ["never", "after_hold"])
def test_what_no_receipt_can_name_is_dead_at_once(
    ledger: WorkLedger, accept: Accept, operation: str, repeat: str
) -> None:
    receipts_live(ledger)
    webhooks(ledger)
    tail = accept(operation, repeat=repeat)
    lose(ledger, tail)
    assert (ledger.read(tail).state, ledger.read(tail).reason) == ("dead", "unknown_outcome")


@pytest.mark.parametrize("repeat", ["never", "after_hold"])
def test_without_a_webhook_secret_nothing_is_held(ledger: WorkLedger, accept: Accept, repeat: str) -> None:
    tail = accept(repeat=repeat)
    lose(ledger, tail)
    assert ledger.read(tail).reason == "unknown_outcome"


def test_always_repeats_at_once(ledger: WorkLedger, accept: Accept) -> None:
    webhooks(ledger)
    tail = accept(repeat="always")
    lose(ledger, tail)
    assert places(ledger, tail) == ["ready"]


@pytest.mark.parametrize(("receipts", "state"), [(True, "ready"), (False, "dead")])
def test_after_its_hold_a_job_is_repeated_only_if_receipts_come(
    ledger: WorkLedger, accept: Accept, receipts: bool, state: str
) -> None:
    webhooks(ledger)
    tail = accept()
    lose(ledger, tail)
    assert ledger.read(tail).state == "unknown", "held though no receipt was seen yet"
    if receipts:
        receipts_live(ledger)
    holds_end(ledger)
    assert ledger.read(tail).state == state


def test_a_receipt_longer_ago_than_an_hour_shows_nothing(ledger: WorkLedger, accept: Accept) -> None:
    webhooks(ledger, receipts_at=now() - 3_601_000)
    tail = accept()
    lose(ledger, tail)
    holds_end(ledger)
    assert ledger.read(tail).reason == "unknown_outcome"


@pytest.mark.parametrize(
    ("terms", "seconds"),
    [
        ({}, 70),
        ({"lane": "urgent", "expires": "+600000"}, 30),
        ({"lane": "urgent"}, 70),
        ({"repeat": "never"}, 900),
        ({"repeat": "never", "lane": "bulk"}, 900),
    ],
)
def test_how_long_an_end_is_held_is_a_setting(
    ledger: WorkLedger, accept: Accept, terms: dict[str, Any], seconds: int
) -> None:
    webhooks(ledger, hold_ms=70_000, otp_hold_ms=30_000, never_hold_ms=900_000)
    tail = accept(**terms)
    lose(ledger, tail)
    left = float(ledger.link.command("ZSCORE", f"{ledger.prefix}held", tail)) - now()
    assert seconds * 1000 - 60_000 < left <= seconds * 1000 + 1000


def test_a_job_that_is_held_past_its_expiry_holds_up_no_other_that_expires(
    ledger: WorkLedger, accept: Accept
) -> None:
    webhooks(ledger)
    held = accept(expires="+600000")
    lose(ledger, held)
    expire(ledger, held)
    assert ledger.link.command("ZCARD", f"{ledger.prefix}expires") == 0
    receipts_live(ledger)
    holds_end(ledger)
    reading = ledger.read(held)
    assert (reading.state, reading.reason) == ("dead", "unknown_outcome")
    assert "expired" in reading.error


def test_a_repeat_after_the_hold_can_still_expire(ledger: WorkLedger, accept: Accept) -> None:
    receipts_live(ledger)
    tail = accept(expires="+600000")
    lose(ledger, tail)
    holds_end(ledger)
    assert ledger.link.command("ZSCORE", f"{ledger.prefix}expires", tail) is not None


def test_a_replay_is_a_new_round_with_an_end_of_its_own(ledger: WorkLedger, accept: Accept) -> None:
    webhooks(ledger)
    tail = accept(repeat="never", options=TOLD)
    lose(ledger, tail)
    holds_end(ledger)
    letters = DeadLetters(ledger)
    assert letters.replay(tail, allow_duplicates=True) == "replayed"
    assert event_of(ID + tail, ledger.read(tail)) is None
    ledger.step(run_to_start(ledger), (*DONE[:5], "1", ""))
    apply_receipt(ledger, tail, "failed", at_ms=now() + 2000, code="131026")
    assert letters.replay(tail) == "replayed"
    ledger.step(run_to_start(ledger), REFUSED)
    assert told(ledger) == [
        ("ended", "dead", "unknown_outcome", "", 0),
        ("ended", "done", "", "", 1),
        ("receipt", "failed", "131026", "", 1),
        ("ended", "dead", "rejected", "", 2),
    ]
    entries = ledger.link.command("LRANGE", f"{ledger.prefix}outbox", 0, -1)
    assert event_of(ID + tail, ledger.read(tail)) == JobEvent(
        ID + tail, "ended", "dead", "rejected", "", 2, json.loads(entries[-1])["sequence"]
    )


def test_the_event_of_a_job_is_the_last_that_was_told(ledger: WorkLedger, accept: Accept) -> None:
    webhooks(ledger)
    tail = accept(repeat="never", options=TOLD)

    def same() -> bool:
        entry = json.loads(ledger.link.command("LINDEX", f"{ledger.prefix}outbox", -1))
        found = event_of(ID + tail, ledger.read(tail))
        return found is not None and found._asdict() == {
            name: ID + tail if name == "id" else entry[name] for name in JobEvent._fields
        }

    lose(ledger, tail)
    holds_end(ledger)
    assert same()
    for kind in ("sent", "failed", "delivered", "read"):
        apply_receipt(
            ledger, tail, kind, at_ms=now(), code="131026" if kind == "failed" else "", provider_id="p"
        )
        assert same(), kind


@pytest.mark.parametrize(("receipts", "state"), [(True, "ready"), (False, "dead")])
@pytest.mark.parametrize("ending", [None, "{", "1"])
def test_a_held_job_without_a_readable_end_is_sent_again_or_dead(
    ledger: WorkLedger, accept: Accept, ending: str | None, receipts: bool, state: str
) -> None:
    """An earlier version wrote none; and whatever stands there, the reaper goes on."""
    webhooks(ledger, receipts_at=now() if receipts else 0)
    tail = accept()
    lose(ledger, tail)
    key = f"{ledger.prefix}ending"
    ledger.link.command("HDEL", key, tail)
    if ending is not None:
        ledger.link.command("HSET", key, tail, ending)
    holds_end(ledger)
    assert ledger.read(tail).state == state


def test_a_job_that_was_never_sent_is_cancelled_at_once(ledger: WorkLedger, accept: Accept) -> None:
    webhooks(ledger)
    tail = accept()
    ledger.step(run_to_start(ledger), ("retry", 60_000, "HTTP 503", ""))
    ledger.cancel(tail)
    assert ledger.read(tail).state == "cancelled"
