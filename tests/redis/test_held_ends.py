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


def expire(ledger: WorkLedger, job_key: str) -> None:
    """The time at which a job was to expire has come."""
    head, _, rest = ledger.link.command("GET", f"{ledger.prefix}j:{job_key}").decode().partition("\n")
    fields = head.split("|")
    fields[5] = "1"
    ledger.link.command("SET", f"{ledger.prefix}j:{job_key}", "|".join(fields) + "\n" + rest)
    if ledger.link.command("ZSCORE", f"{ledger.prefix}expires", job_key) is not None:
        ledger.link.command("ZADD", f"{ledger.prefix}expires", 1, job_key)


def lose(ledger: WorkLedger, job_key: str) -> None:
    assert run_to_start_of(ledger, LOST) == job_key


def run_to_start_of(ledger: WorkLedger, answer: tuple[Any, ...]) -> str:
    work = run_to_start(ledger)
    ledger.step(work, answer)
    return work.job_key


def worker_dies(ledger: WorkLedger, lane: str = "normal") -> None:
    job_key = run_to_start(ledger).job_key
    ledger.link.command("ZADD", f"{ledger.prefix}run:{lane}", 1, job_key)
    reap(ledger)


def crash_loops(ledger: WorkLedger, job_key: str) -> None:
    for _ in range(2):
        worker_dies(ledger)
        holds_end(ledger)
    worker_dies(ledger)


def repeated_and_refused(ledger: WorkLedger, job_key: str) -> None:
    lose(ledger, job_key)
    holds_end(ledger)
    run_to_start_of(ledger, REFUSED)


def repeated_and_tried_in_vain(ledger: WorkLedger, job_key: str) -> None:
    lose(ledger, job_key)
    holds_end(ledger)
    run_to_start_of(ledger, ("retry", 1, "HTTP 503", ""))


def repeated_and_expired(ledger: WorkLedger, job_key: str) -> None:
    lose(ledger, job_key)
    holds_end(ledger)
    expire(ledger, job_key)
    reap(ledger)


def expired_at_its_start(ledger: WorkLedger, job_key: str) -> None:
    lose(ledger, job_key)
    holds_end(ledger)
    released = ledger.release("dispatcher", {"normal": 1})
    (work,) = ledger.claim("w", released.job_keys["normal"])
    expire(ledger, job_key)
    assert ledger.start(job_key, work.fence).word == "dead"


def cancelled(ledger: WorkLedger, job_key: str) -> None:
    lose(ledger, job_key)
    ledger.cancel(job_key)
    ledger.cancel(job_key)


def cancelled_while_it_waits_to_be_repeated(ledger: WorkLedger, job_key: str) -> None:
    lose(ledger, job_key)
    holds_end(ledger)
    ledger.cancel(job_key)


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
    job_key = accept(options='{"on_done":"shop.told"}', **terms)
    happens(ledger, job_key)
    assert (ledger.read(job_key).state, places(ledger, job_key), told(ledger)) == ("unknown", ["held"], [])
    reap(ledger)
    assert places(ledger, job_key) == ["held"]
    assert apply_receipt(ledger, job_key, "delivered", at_ms=now()).job == "settled"
    assert told(ledger) == [("ended", "done", "", "", 0)]
    assert (ledger.read(job_key).state, ledger.read(job_key).was) == ("done", "")
    for name in ("ending", "possibly_sent", "tries", "held", "expires"):
        assert not ledger.link.command("EXISTS", f"{ledger.prefix}{name}"), name


@pytest.mark.parametrize("kind", ["sent", "failed", "read"])
@pytest.mark.parametrize("way", WAYS)
def test_without_a_receipt_it_ends_and_one_that_comes_then_corrects_that(
    ledger: WorkLedger, accept: Accept, way: str, kind: str
) -> None:
    terms, happens, (state, reason) = WAYS[way]
    receipts_live(ledger)
    webhooks(ledger)
    job_key = accept(options=TOLD, **terms)
    happens(ledger, job_key)
    holds_end(ledger)
    reading = ledger.read(job_key)
    assert (reading.state, reading.reason) == (state, reason)
    assert ledger.release("dispatcher", {"normal": 9}).job_keys == {}, "it is sent again"
    ended = ("ended", state, reason, "", 0)
    assert told(ledger) == [ended]
    assert apply_receipt(ledger, job_key, kind, at_ms=now(), code="131026", provider_id="p").job == "settled"
    receipt = ("receipt", kind, "131026", state, 0)
    assert told(ledger) == [ended, ("corrected", "done", "", state, 0), receipt]
    apply_receipt(ledger, job_key, kind, at_ms=now(), code="131026", provider_id="p")
    reading = ledger.read(job_key)
    assert (reading.state, reading.was, len(told(ledger))) == ("done", state, 3)
    assert outcome(job_key, reading)["was"] == state
    for name in ("ending", "possibly_sent", "tries", "held", "dead", "expires"):
        assert not ledger.link.command("EXISTS", f"{ledger.prefix}{name}"), name


@pytest.mark.parametrize("was", ["dead", "cancelled"])
def test_a_late_answer_corrects_an_end_too(ledger: WorkLedger, accept: Accept, was: str) -> None:
    webhooks(ledger)
    job_key = accept(repeat="never", options=TOLD)
    work = run_to_start(ledger)
    ledger.link.command("ZADD", f"{ledger.prefix}run:normal", 1, job_key)
    reap(ledger)
    if was == "cancelled":
        ledger.cancel(job_key)
    holds_end(ledger)
    assert ledger.step(work, DONE)[0] == "settled"
    assert ledger.step(work, DONE)[0] == "already"
    assert told(ledger)[1:] == [("corrected", "done", "", was, 0)]
    assert ledger.read(job_key).provider_id == "provider-1"


@pytest.mark.parametrize(
    "operation", ["send_rcs_text", "track_event", "create_template", "upload_template_media"]
)
@pytest.mark.parametrize("repeat", ["never", "after_hold"])
def test_what_no_receipt_can_name_is_dead_at_once(
    ledger: WorkLedger, accept: Accept, operation: str, repeat: str
) -> None:
    receipts_live(ledger)
    webhooks(ledger)
    job_key = accept(operation, repeat=repeat)
    lose(ledger, job_key)
    assert (ledger.read(job_key).state, ledger.read(job_key).reason) == ("dead", "unknown_outcome")


@pytest.mark.parametrize("repeat", ["never", "after_hold"])
def test_without_a_webhook_secret_nothing_is_held(ledger: WorkLedger, accept: Accept, repeat: str) -> None:
    job_key = accept(repeat=repeat)
    lose(ledger, job_key)
    assert ledger.read(job_key).reason == "unknown_outcome"


def test_always_repeats_at_once(ledger: WorkLedger, accept: Accept) -> None:
    webhooks(ledger)
    job_key = accept(repeat="always")
    lose(ledger, job_key)
    assert places(ledger, job_key) == ["ready"]


@pytest.mark.parametrize(("receipts", "state"), [(True, "ready"), (False, "dead")])
def test_after_its_hold_a_job_is_repeated_only_if_receipts_come(
    ledger: WorkLedger, accept: Accept, receipts: bool, state: str
) -> None:
    webhooks(ledger)
    job_key = accept()
    lose(ledger, job_key)
    assert ledger.read(job_key).state == "unknown", "held though no receipt was seen yet"
    if receipts:
        receipts_live(ledger)
    holds_end(ledger)
    assert ledger.read(job_key).state == state


def test_a_receipt_longer_ago_than_an_hour_shows_nothing(ledger: WorkLedger, accept: Accept) -> None:
    webhooks(ledger, receipts_at=now() - 3_601_000)
    job_key = accept()
    lose(ledger, job_key)
    holds_end(ledger)
    assert ledger.read(job_key).reason == "unknown_outcome"


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
    job_key = accept(**terms)
    lose(ledger, job_key)
    left = float(ledger.link.command("ZSCORE", f"{ledger.prefix}held", job_key)) - now()
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
    job_key = accept(expires="+600000")
    lose(ledger, job_key)
    holds_end(ledger)
    assert ledger.link.command("ZSCORE", f"{ledger.prefix}expires", job_key) is not None


def test_a_replay_is_a_new_round_with_an_end_of_its_own(ledger: WorkLedger, accept: Accept) -> None:
    webhooks(ledger)
    job_key = accept(repeat="never", options=TOLD)
    lose(ledger, job_key)
    holds_end(ledger)
    letters = DeadLetters(ledger)
    assert letters.replay(job_key, allow_duplicates=True) == "replayed"
    assert event_of(ID + job_key, ledger.read(job_key)) is None
    ledger.step(run_to_start(ledger), (*DONE[:5], "1", ""))
    apply_receipt(ledger, job_key, "failed", at_ms=now() + 2000, code="131026")
    assert letters.replay(job_key) == "replayed"
    ledger.step(run_to_start(ledger), REFUSED)
    assert told(ledger) == [
        ("ended", "dead", "unknown_outcome", "", 0),
        ("ended", "done", "", "", 1),
        ("receipt", "failed", "131026", "", 1),
        ("ended", "dead", "rejected", "", 2),
    ]
    entries = ledger.link.command("LRANGE", f"{ledger.prefix}outbox", 0, -1)
    assert event_of(ID + job_key, ledger.read(job_key)) == JobEvent(
        ID + job_key, "ended", "dead", "rejected", "", 2, json.loads(entries[-1])["sequence"]
    )


def test_the_event_of_a_job_is_the_last_that_was_told(ledger: WorkLedger, accept: Accept) -> None:
    webhooks(ledger)
    job_key = accept(repeat="never", options=TOLD)

    def same() -> bool:
        entry = json.loads(ledger.link.command("LINDEX", f"{ledger.prefix}outbox", -1))
        found = event_of(ID + job_key, ledger.read(job_key))
        return found is not None and found._asdict() == {
            name: ID + job_key if name == "id" else entry[name] for name in JobEvent._fields
        }

    lose(ledger, job_key)
    holds_end(ledger)
    assert same()
    for kind in ("sent", "failed", "delivered", "read"):
        apply_receipt(
            ledger, job_key, kind, at_ms=now(), code="131026" if kind == "failed" else "", provider_id="p"
        )
        assert same(), kind


@pytest.mark.parametrize(("receipts", "state"), [(True, "ready"), (False, "dead")])
@pytest.mark.parametrize("ending", [None, "{", "1"])
def test_a_held_job_without_a_readable_end_is_sent_again_or_dead(
    ledger: WorkLedger, accept: Accept, ending: str | None, receipts: bool, state: str
) -> None:
    """An earlier version wrote none; and whatever stands there, the reaper goes on."""
    webhooks(ledger, receipts_at=now() if receipts else 0)
    job_key = accept()
    lose(ledger, job_key)
    key = f"{ledger.prefix}ending"
    ledger.link.command("HDEL", key, job_key)
    if ending is not None:
        ledger.link.command("HSET", key, job_key, ending)
    holds_end(ledger)
    assert ledger.read(job_key).state == state


def test_a_job_that_was_never_sent_is_cancelled_at_once(ledger: WorkLedger, accept: Accept) -> None:
    webhooks(ledger)
    job_key = accept()
    ledger.step(run_to_start(ledger), ("retry", 60_000, "HTTP 503", ""))
    ledger.cancel(job_key)
    assert ledger.read(job_key).state == "cancelled"
