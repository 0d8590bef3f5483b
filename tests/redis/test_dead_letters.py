"""Dead letters: what a person can do with them."""

from __future__ import annotations

from collections.abc import Callable

from worker.ledger.dead_letters import REPLAY, DeadLetters, Filter
from worker.ledger.work_ledger import WorkLedger

from .clock import Clock
from .test_ledger import DONE, run_to_start

Accept = Callable[..., str]


def kill(
    ledger: WorkLedger, accept: Accept, reason: str = "rejected", error: str = "no", **terms: object
) -> str:
    job_key = accept(**terms)
    ledger.step(run_to_start(ledger), ("dead", reason, error, 400, '{"outcome":"refused"}'))
    return job_key


def test_dead_letters_are_found_by_what_they_have_in_common(ledger: WorkLedger, accept: Accept) -> None:
    first = kill(ledger, accept, error="Phone Number invalid", group="offer:en")
    second = kill(
        ledger, accept, reason="unknown_outcome", operation="send_image", lane="bulk", repeat="never"
    )
    letters = DeadLetters(ledger)

    def found(**wanted: object) -> set[str]:
        return {letter.job_key for letter in letters.find(Filter(**wanted))}  # type: ignore[arg-type]

    assert found() == {first, second}
    assert found(reason="rejected") == {first}
    assert found(operation="send_image") == {second}
    assert found(lane="bulk") == {second}
    assert found(template="offer") == {first}
    assert found(text="phone number") == {first}
    assert found(older=60) == set()
    assert found(newer=60) == {first, second}


def test_many_dead_letters_of_one_instant_are_each_listed_once(ledger: WorkLedger) -> None:
    for number in range(450):
        ledger.link.command("ZADD", f"{ledger.prefix}dead", 1000 + number // 300, f"t{number}")
        ledger.link.command(
            "SET", f"{ledger.prefix}d:t{number}", '{"op":"send_text","lane":"bulk","reason":"rejected"}'
        )
    job_keys = [letter.job_key for letter in DeadLetters(ledger).find()]
    assert (len(job_keys), len(set(job_keys))) == (450, 450)


def test_a_replay_is_a_new_send_with_its_attempts_at_zero(ledger: WorkLedger, accept: Accept) -> None:
    job_key = kill(ledger, accept)
    letters = DeadLetters(ledger, who="ann")
    assert letters.replay(job_key, dry_run=True) == "replayed"
    assert ledger.read(job_key).state == "dead"
    assert letters.replay(job_key) == "replayed"
    assert letters.replay(job_key) == "alive"
    again = ledger.link.run(REPLAY, [ledger.prefix], job_key, "0", "ann", 0, "0", "1")
    assert again == b"replayed", "who asks again because the answer was lost is told that it was done"
    work = run_to_start(ledger)
    assert (work.job_key, work.attempts) == (job_key, 0)
    ledger.step(work, DONE)
    assert ledger.read(job_key).state == "done"


def test_an_unknown_outcome_is_replayed_only_by_one_who_accepts_duplicates(
    ledger: WorkLedger, accept: Accept
) -> None:
    job_key = kill(ledger, accept, reason="unknown_outcome", repeat="never")
    letters = DeadLetters(ledger)
    assert letters.replay(job_key) == "unknown_outcome"
    assert letters.replay(job_key, allow_duplicates=True) == "replayed"


def test_a_bulk_replay_is_spread_over_time(ledger: WorkLedger, accept: Accept) -> None:
    for _ in range(3):
        kill(ledger, accept)
    letters = DeadLetters(ledger)
    answers = [answer for _, answer in letters.replay_all(Filter(), per_minute=1)]
    assert answers == ["replayed"] * 3
    waits = ledger.link.command("ZRANGE", f"{ledger.prefix}ready:normal", 0, -1, "WITHSCORES")
    spread = float(waits[5]) - float(waits[1])
    assert 119_000 < spread < 121_000


def test_a_replayed_otp_gets_its_whole_time_to_live_again(
    ledger: WorkLedger, accept: Accept, clock: Clock
) -> None:
    job_key = kill(ledger, accept, expires="+300000")
    clock.advance(0.01)
    DeadLetters(ledger).replay(job_key)
    reading = ledger.read(job_key)
    assert reading.expires - reading.due == 300_000


def test_what_is_dropped_or_too_old_or_too_many_is_gone_and_audited(
    ledger: WorkLedger, accept: Accept, clock: Clock
) -> None:
    job_keys = [kill(ledger, accept) for _ in range(4)]
    letters = DeadLetters(ledger, who="ann")
    assert letters.drop(job_keys[0], "nothing") == 1
    assert letters.purge(keep_seconds=3600, keep_count=2) == 1
    assert {letter.job_key for letter in letters.find()} == set(job_keys[2:])
    clock.advance(0.005)
    letters.purge(keep_seconds=0, keep_count=10)
    assert list(letters.find()) == []
    audit = ledger.link.command("XRANGE", f"{ledger.prefix}audit", "-", "+")
    assert len(audit) == 3
    assert b"ann" in audit[0][1]
