"""A job's way through the scripts, step by step."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from interakt_jobs.errors import LedgerFull, NoSuchJob, NotCancellable, Unregistered
from interakt_jobs.ledger.client import JobOptions, Ledger, NewJob
from interakt_jobs.ledger.keys import mint_job_key
from interakt_jobs.ledger.redis_client import RedisClient
from tests.waiting import until
from worker.ledger.work_ledger import Work, WorkLedger

from .clock import Clock, pause

DONE = ("done", "provider-1", 201, "Message queued", 3600, "0", "")
WANTED = {"urgent": 8, "normal": 8, "bulk": 8}
ONE = {"urgent": 1, "normal": 1, "bulk": 1}
Accept = Callable[..., str]


def run_to_claim(ledger: WorkLedger, token: str = "t") -> Work:
    released = ledger.release("dispatcher", ONE)
    job_keys = [job_key for found in released.job_keys.values() for job_key in found]
    return ledger.claim(token, job_keys[:1])[0]


def run_to_start(ledger: WorkLedger, token: str = "t") -> Work:
    work = run_to_claim(ledger, token)
    for _ in range(50):
        verdict = ledger.start(work.job_key, work.fence)
        if verdict.word != "wait":
            break
        pause(ledger.link, verdict.millis / 1000)
    assert verdict.word == "go"
    return work


def reap(ledger: WorkLedger, **changed: int) -> dict[str, int]:
    return ledger.reap(**{"most": 100, "retry_ms": 1, **changed})


def holds_end(ledger: WorkLedger) -> dict[str, int]:
    """The hold of every job is over, and the reaper looks."""
    for job_key in ledger.link.command("ZRANGE", f"{ledger.prefix}held", 0, -1):
        ledger.link.command("ZADD", f"{ledger.prefix}held", 1, job_key)
    return reap(ledger)


def receipts_live(ledger: WorkLedger) -> None:
    ledger.link.command("HSET", f"{ledger.prefix}state", "receipts_at", int(time.time() * 1000))


def places(ledger: WorkLedger, job_key: str) -> list[str]:
    """Every set that holds the job: there must be exactly one while it lives."""
    found = []
    for lane in ("urgent", "normal", "bulk"):
        for kind in ("ready", "rel", "run"):
            if ledger.link.command("ZSCORE", f"{ledger.prefix}{kind}:{lane}", job_key) is not None:
                found.append(kind)
    for kind in ("held", "dead"):
        if ledger.link.command("ZSCORE", f"{ledger.prefix}{kind}", job_key) is not None:
            found.append(kind)
    return found


def test_a_job_goes_from_accept_to_done_and_is_in_one_place_at_each_step(
    ledger: WorkLedger, accept: Accept
) -> None:
    job_key = accept()
    assert places(ledger, job_key) == ["ready"]
    work = run_to_claim(ledger)
    assert (work.job_key, places(ledger, job_key)) == (job_key, ["rel"])
    assert ledger.start(job_key, work.fence).word == "go"
    assert places(ledger, job_key) == ["run"]
    assert ledger.step(work, DONE) == ("ok", None)
    assert places(ledger, job_key) == []
    reading = ledger.read(job_key)
    assert (reading.state, reading.provider_id, reading.status, reading.attempts) == (
        "done",
        "provider-1",
        201,
        1,
    )
    assert ledger.link.command("HLEN", f"{ledger.prefix}fl") == 0


def test_every_script_may_be_repeated_by_its_caller(ledger: WorkLedger, accept: Accept) -> None:
    job_key = accept()
    accept(job_key=job_key)
    assert ledger.link.command("ZCARD", f"{ledger.prefix}ready:normal") == 1
    released = ledger.release("dispatcher", WANTED)
    first = ledger.claim("me", released.job_keys["normal"])
    again = ledger.claim("me", released.job_keys["normal"])
    assert first == again
    assert ledger.claim("another", [job_key]) == []
    assert ledger.start(job_key, first[0].fence).word == "go"
    assert ledger.start(job_key, first[0].fence).word == "go"
    assert ledger.step(first[0], DONE)[0] == "ok"
    assert ledger.step(first[0], DONE)[0] == "already"
    assert ledger.read(job_key).attempts == 1


def test_a_repeated_step_finds_the_job_it_had_claimed(ledger: WorkLedger, accept: Accept) -> None:
    first, second, third = accept(), accept(), accept()
    work = run_to_start(ledger, "me")
    assert work.job_key == first
    settled, following = ledger.step(work, DONE, "normal", "me")
    assert settled == "ok"
    assert following is not None
    from worker.ledger.work_ledger import STEP

    answer = ledger.link.run(
        STEP, [ledger.prefix], work.job_key, work.fence, "done", "normal", "me", 30000, "1", *DONE[1:]
    )
    assert answer[0] == b"already"
    assert answer[1].decode() == following.job_key
    assert {following.job_key} < {second, third}


def test_an_unregistered_account_and_a_full_redis_are_told_apart(
    link: RedisClient, ledger: WorkLedger
) -> None:
    with pytest.raises(Unregistered, match="no worker ever registered"):
        Ledger(link, "nobody").accept(JobOptions("send_text", "normal"), [NewJob(mint_job_key(), "{}")])
    link.command("HSET", f"{ledger.prefix}state", "full", "bulk")
    ledger.accept(JobOptions("send_text", "normal"), [NewJob(mint_job_key(), "{}")])
    with pytest.raises(LedgerFull):
        ledger.accept(JobOptions("send_text", "bulk"), [NewJob(mint_job_key(), "{}")])


def test_a_repeat_is_told_what_was_accepted_before_redis_was_full(
    link: RedisClient, ledger: WorkLedger
) -> None:
    terms, plain, keyed = (
        JobOptions("send_text", "bulk"),
        NewJob(mint_job_key(), "{}"),
        NewJob(mint_job_key(), "{}", key="k", digest="d"),
    )
    ledger.accept(terms, [plain, keyed])
    link.command("HSET", f"{ledger.prefix}state", "full", "all")
    again = [
        plain,
        keyed._replace(job_key=mint_job_key()),
        keyed._replace(job_key=mint_job_key(), digest="e"),
    ]
    assert ledger.accept(terms, again) == ["known", f"same {keyed.job_key}", "conflict"]
    with pytest.raises(LedgerFull):
        ledger.accept(terms, [plain, NewJob(mint_job_key(), "{}")])


def test_an_idempotency_key_gives_back_the_first_job_or_a_conflict(ledger: WorkLedger) -> None:
    first, other = mint_job_key(), mint_job_key()
    terms = JobOptions("send_text", "normal")
    assert ledger.accept(terms, [NewJob(first, "{}", key="order-1", digest="a")]) == ["new"]
    assert ledger.accept(terms, [NewJob(other, "{}", key="order-1", digest="a")]) == [f"same {first}"]
    assert ledger.accept(terms, [NewJob(other, "{}", key="order-1", digest="b")]) == ["conflict"]
    assert ledger.accept(terms, [NewJob(first, "{}", key="order-1", digest="a")]) == ["known"]


def test_a_scheduled_job_waits_in_redis_until_its_time(
    ledger: WorkLedger, accept: Accept, clock: Clock
) -> None:
    job_key = accept(not_before="+150")
    assert ledger.read(job_key).state == "waiting"
    assert ledger.release("dispatcher", WANTED).job_keys == {}
    clock.advance(0.16)
    assert ledger.read(job_key).state == "ready"
    assert ledger.release("dispatcher", WANTED).job_keys == {"normal": [job_key]}


def test_a_retry_counts_an_attempt_and_the_last_one_is_a_dead_letter(
    ledger: WorkLedger, accept: Accept, clock: Clock
) -> None:
    job_key = accept(max_attempts=2)
    for attempt in (1, 2):
        work = run_to_start(ledger)
        assert work.attempts == attempt - 1
        ledger.step(work, ("retry", 1, "HTTP 500", '{"outcome":"unavailable"}'))
        clock.advance(0.005)
    reading = ledger.read(job_key)
    assert (reading.state, reading.reason, reading.attempts, len(reading.log)) == (
        "dead",
        "max_attempts",
        2,
        2,
    )
    assert reading.payload == {"a": 1}


def test_a_429_costs_no_attempt_pauses_the_account_and_cuts_the_rate(
    ledger: WorkLedger, accept: Accept, clock: Clock
) -> None:
    job_key = accept()
    ledger.step(run_to_start(ledger), ("throttled", 100))
    assert ledger.read(job_key).attempts == 0
    assert ledger.release("dispatcher", WANTED).job_keys == {}
    state = ledger.link.command("HMGET", f"{ledger.prefix}state", "factor", "why")
    assert state == [b"0.500", b"throttled: HTTP 429"]
    clock.advance(0.12)
    ledger.step(run_to_start(ledger), DONE)
    assert ledger.read(job_key).state == "done"


def test_a_released_job_whose_wake_up_was_lost_is_released_again(
    ledger: WorkLedger, accept: Accept, clock: Clock
) -> None:
    ledger.release_ms = 20
    job_key = accept()
    ledger.release("dispatcher", WANTED)
    clock.advance(0.03)
    assert reap(ledger)["again"] == 1
    assert places(ledger, job_key) == ["ready"]


@pytest.mark.parametrize(
    ("repeat", "receipts", "state", "reason"),
    [
        ("never", True, "unknown", ""),
        ("never", False, "dead", "unknown_outcome"),
        ("after_hold", False, "dead", "unknown_outcome"),
        ("after_hold", True, "unknown", ""),
        ("always", False, "waiting", ""),
    ],
)
def test_a_worker_that_dies_after_sent_at_leaves_an_unknown_outcome(
    ledger: WorkLedger, accept: Accept, repeat: str, receipts: bool, state: str, reason: str, clock: Clock
) -> None:
    if receipts:
        receipts_live(ledger)
    ledger.lease_ms = 20
    job_key = accept(repeat=repeat)
    run_to_start(ledger)
    clock.advance(0.03)
    reap(ledger, retry_ms=10_000)
    reading = ledger.read(job_key)
    assert (reading.state, reading.reason) == (state, reason)


def test_a_held_job_is_sent_again_and_marked_ambiguous(
    ledger: WorkLedger, accept: Accept, clock: Clock
) -> None:
    receipts_live(ledger)
    job_key = accept()
    ledger.step(run_to_start(ledger), ("unknown", "timeout", "", 1))
    assert places(ledger, job_key) == ["held"]
    assert holds_end(ledger)["ended"] == 1
    ledger.step(run_to_start(ledger), DONE)
    assert ledger.read(job_key).ambiguous


def test_a_late_answer_settles_an_unknown_job_and_an_old_fence_nothing_else(
    ledger: WorkLedger, accept: Accept, clock: Clock
) -> None:
    ledger.lease_ms = 20
    job_key = accept(repeat="never")
    work = run_to_start(ledger)
    clock.advance(0.03)
    reap(ledger)
    assert ledger.read(job_key).reason == "unknown_outcome"
    assert ledger.step(work, ("dead", "rejected", "no", 400, ""))[0] == "gone"
    assert ledger.step(work, DONE)[0] == "settled"
    reading = ledger.read(job_key)
    assert (reading.state, reading.ambiguous) == ("done", False)
    assert places(ledger, job_key) == []


def test_a_job_that_kills_its_worker_each_time_is_dead(
    ledger: WorkLedger, accept: Accept, clock: Clock
) -> None:
    ledger.lease_ms = 1
    job_key = accept(repeat="always")
    for _ in range(3):
        run_to_start(ledger)
        clock.advance(0.01)
        reap(ledger)
        clock.advance(0.01)
    assert ledger.read(job_key).reason == "crash_loop"


def test_a_job_that_ends_or_freezes_its_worker_while_it_is_checked_is_dead_the_third_time(
    ledger: WorkLedger, accept: Accept, clock: Clock
) -> None:
    job_key = accept()
    for crash in range(3):
        assert ledger.read(job_key).state == "ready", f"after {crash}"
        run_to_claim(ledger)
        clock.advance(6)
        reap(ledger)
    reading = ledger.read(job_key)
    assert (reading.reason, reading.ambiguous, reading.attempts) == ("crash_loop", False, 0)
    assert places(ledger, job_key) == ["dead"]


def test_a_job_that_waits_for_its_permit_is_not_to_blame_for_its_worker(
    ledger: WorkLedger, accept: Accept, clock: Clock
) -> None:
    job_key = accept()
    for _ in range(5):
        work = run_to_claim(ledger)
        ledger.link.command("HSET", f"{ledger.prefix}bud", "tat", int(time.time() * 2e6))
        assert ledger.start(work.job_key, work.fence).word == "wait"
        assert ledger.renew([(work.job_key, work.fence)]) == 1
        clock.advance(6)
        ledger.link.command("DEL", f"{ledger.prefix}bud")
        reap(ledger)
    assert ledger.read(job_key).state == "ready"


def test_a_worker_that_lives_takes_its_crash_back(ledger: WorkLedger, accept: Accept, clock: Clock) -> None:
    job_key = accept()
    for _ in range(5):
        work = run_to_claim(ledger)
        clock.advance(6)
        reap(ledger)
        assert ledger.step(work, ("unsent",))[0] == "gone", "Redis was away for longer than the claim holds"
    assert ledger.read(job_key).state == "ready"


@pytest.mark.parametrize("why", ["large", "in hand at a crash"])
def test_what_may_end_a_worker_is_checked_before_it_is_started(
    ledger: WorkLedger, accept: Accept, clock: Clock, why: str
) -> None:
    ledger.link.command("HSET", f"{ledger.prefix}state", "rate", 600_000)
    first = run_to_start(ledger) if accept() else None
    assert first is not None
    job_key = accept(payload='{"a":"' + "x" * 9_000 * (why == "large") + '"}')
    if why != "large":
        (released,) = ledger.release("dispatcher", WANTED).job_keys["normal"]
        ledger.claim("other", [released])
        clock.advance(6)
        ledger.renew([(first.job_key, first.fence)])
        reap(ledger)
    _, following = ledger.step(first, DONE, "normal", "me")
    assert following is not None
    assert (following.job_key, following.verdict) == (job_key, "check")
    assert ledger.read(job_key).state == "released", "not started, so not sent whatever comes"
    assert ledger.step(first, DONE, "normal", "me", again=True)[1] == following, "the same for a repeat"
    clock.advance(1)
    assert ledger.start(following.job_key, following.fence).word == "go"


def test_a_template_refusal_pauses_that_template_only(ledger: WorkLedger, accept: Accept) -> None:
    paused, other = accept(group="offer:en"), accept(group="welcome:en")
    work = run_to_start(ledger)
    assert work.job_key == paused
    ledger.step(work, ("template", "No approved template", ""))
    assert ledger.read(paused).state == "waiting_for_template"
    later = accept(group="offer:en")
    work = run_to_start(ledger)
    assert work.job_key == other
    ledger.step(work, DONE)
    claimed = run_to_claim(ledger)
    assert claimed.job_key == later
    assert ledger.start(later, claimed.fence).word == "back"
    ledger.link.command("HSET", f"{ledger.prefix}groups", "offer:en", "1|1|why")
    assert reap(ledger)["unparked"] == 1
    probe = run_to_start(ledger)
    ledger.step(probe, DONE)
    assert reap(ledger)["unparked"] == 1
    ledger.step(run_to_start(ledger), DONE)
    assert {ledger.read(paused).state, ledger.read(later).state} == {"done"}


def test_a_refused_account_pauses_and_one_probe_opens_it_again(ledger: WorkLedger, accept: Accept) -> None:
    job_keys = [accept() for _ in range(3)]
    ledger.step(run_to_start(ledger), ("account", "account: Invalid token provided", ""))
    assert ledger.release("dispatcher", WANTED).job_keys == {}
    ledger.link.command("HSET", f"{ledger.prefix}state", "paused_until", "1")
    reap(ledger)
    probe = run_to_start(ledger)
    assert ledger.release("dispatcher", WANTED).job_keys == {}
    ledger.step(probe, DONE)
    for _ in range(2):
        ledger.step(run_to_start(ledger), DONE)
    assert {ledger.read(job_key).state for job_key in job_keys} == {"done"}


def test_what_expires_while_it_waits_is_dead_even_when_the_account_is_paused(
    ledger: WorkLedger, accept: Accept, clock: Clock
) -> None:
    job_key = accept(expires="+20")
    ledger.link.command("HSET", f"{ledger.prefix}state", "paused_until", "9999999999999")
    clock.advance(0.03)
    assert reap(ledger)["dead"] == 1
    assert ledger.read(job_key).reason == "expired"


def test_only_what_has_not_started_can_be_cancelled(ledger: WorkLedger, accept: Accept) -> None:
    waiting, started = accept(not_before="+9999"), accept()
    work = run_to_start(ledger)
    ledger.cancel(waiting)
    ledger.cancel(waiting)
    assert ledger.read(waiting).state == "cancelled"
    with pytest.raises(NotCancellable, match="running"):
        ledger.cancel(started)
    ledger.step(work, DONE)
    with pytest.raises(NotCancellable, match="done"):
        ledger.cancel(started)
    with pytest.raises(NoSuchJob):
        ledger.cancel("0" * 32)


def test_a_forgotten_result_is_no_such_job(ledger: WorkLedger, accept: Accept) -> None:
    job_key = accept()
    with pytest.raises(NotCancellable):
        ledger.forget(job_key)
    ledger.step(run_to_start(ledger), DONE)
    ledger.forget(job_key)
    with pytest.raises(NoSuchJob):
        ledger.read(job_key)


def test_only_one_pacer_leads_until_its_lease_ends(ledger: WorkLedger, accept: Accept) -> None:
    job_key = accept()
    assert ledger.release("one", {}, lease_ms=60_000).leads
    assert not ledger.release("two", WANTED).leads
    assert ledger.release("one", {}, lease_ms=20).leads
    assert until(lambda: ledger.release("two", WANTED).job_keys) == {"normal": [job_key]}


def test_an_opted_out_recipient_gets_nothing_in_bulk(ledger: WorkLedger, accept: Accept) -> None:
    ledger.link.command("SADD", f"{ledger.prefix}optout", "abc")
    bulk = accept(lane="bulk", recipient="abc")
    work = run_to_claim(ledger)
    assert ledger.start(bulk, work.fence).word == "dead"
    assert ledger.read(bulk).reason == "opted_out"
