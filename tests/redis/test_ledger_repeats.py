"""Calls whose answer was lost, or that Redis carries out late; workers that lose Redis in between."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from interakt_jobs.errors import LedgerDamaged, LedgerUnreachable
from interakt_jobs.ledger.keys import WORKERS
from interakt_jobs.ledger.redis_client import RedisClient
from worker.delivery.runner import Delivery
from worker.dispatch.dispatcher import Dispatcher
from worker.dispatch.heartbeat import Heartbeat
from worker.ledger.work_ledger import Released, Verdict, Work, WorkLedger

from .test_ledger import DONE, ONE, WANTED, run_to_claim, run_to_start

Accept = Callable[..., str]


def plenty(ledger: WorkLedger) -> None:
    """So many calls that no permit is waited for."""
    ledger.link.command("HSET", f"{ledger.prefix}state", "rate", 600_000)


def test_a_step_carried_out_after_its_repeat_takes_no_job_that_nobody_knows_of(
    ledger: WorkLedger, accept: Accept
) -> None:
    plenty(ledger)
    accept(), accept(), accept()
    work = run_to_start(ledger, "me")
    _, following = ledger.step(work, DONE, "normal", "me", again=True)
    assert following is not None
    assert ledger.step(work, DONE, "normal", "me") == ("already", None)
    running = ledger.link.command("ZRANGE", f"{ledger.prefix}run:normal", 0, -1)
    assert running == [following.job_key.encode()]


def test_a_step_asked_again_much_later_finds_its_job_with_a_stale_permit(
    ledger: WorkLedger, accept: Accept
) -> None:
    plenty(ledger)
    accept(), accept()
    work = run_to_start(ledger, "me")
    _, following = ledger.step(work, DONE, "normal", "me")
    assert following is not None
    flight = ledger.link.command("HGET", f"{ledger.prefix}fl", following.job_key).decode().split("|")
    flight[3] = str(int(flight[3]) - 60_000)
    ledger.link.command("HSET", f"{ledger.prefix}fl", following.job_key, "|".join(flight))
    _, found = ledger.step(work, DONE, "normal", "me", again=True)
    assert found is not None
    assert (found.job_key, found.fence, found.verdict, found.millis) == (
        following.job_key,
        following.fence,
        "go",
        0,
    )


class LosesRedis(WorkLedger):
    """Redis goes away between claim and start."""

    def start(self, job_key: str, fence: int) -> Verdict:
        raise LedgerUnreachable("away")


def test_no_lease_is_renewed_for_a_delivery_that_has_ended(
    link: RedisClient, ledger: WorkLedger, accept: Accept, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_keys = [accept(), accept()]
    ledger.release("dispatcher", WANTED)
    lossy = LosesRedis(link, "default")
    heartbeat = Heartbeat(link, lease_seconds=30)
    monkeypatch.setattr(Heartbeat, "start", lambda self: None)
    delivery = Delivery(lossy, None, None, heartbeat, False)  # type: ignore[arg-type]
    monkeypatch.setattr(delivery.requests, "prepare", lambda *_: b"{}")
    assert delivery.deliver(job_keys) == 2
    assert heartbeat._held == {}
    assert {ledger.read(job_key).state for job_key in job_keys} == {"ready"}, (
        "given back, once Redis is there again"
    )


class LosesTheClaim(WorkLedger):
    """The check takes so long that the claim has run out."""

    def start(self, job_key: str, fence: int) -> Verdict:
        self.link.command("ZADD", f"{self.prefix}rel:normal", "XX", 1, job_key)
        self.reap(most=10, retry_ms=1)
        assert self.link.command("HGET", f"{self.prefix}tries", job_key) == b"0:1"
        return super().start(job_key, fence)


def test_a_slow_check_that_ends_is_no_crash(
    link: RedisClient, ledger: WorkLedger, accept: Accept, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_key = accept()
    for _ in range(4):
        ledger.release("dispatcher", WANTED)
        heartbeat = Heartbeat(link, lease_seconds=30)
        delivery = Delivery(LosesTheClaim(link, "default"), None, None, heartbeat, False)  # type: ignore[arg-type]
        monkeypatch.setattr(delivery.requests, "prepare", lambda *_: b"{}")
        delivery.deliver([job_key])
        assert ledger.link.command("HGET", f"{ledger.prefix}tries", job_key) == b"0:0"
    assert ledger.read(job_key).state == "ready"


def test_a_job_claimed_anew_in_one_process_keeps_its_own_lease(
    link: RedisClient, ledger: WorkLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Heartbeat, "start", lambda self: None)
    heartbeat = Heartbeat(link, lease_seconds=30)
    old, new = Work("t", 1, ""), Work("t", 2, "")
    heartbeat.hold(ledger, [old])
    heartbeat.hold(ledger, [new])
    heartbeat.drop(ledger, [old])
    assert list(heartbeat._held) == [("default", "t", 2)]


class Broken(WorkLedger):
    """An account of which nothing can be released."""

    def release(self, *_: object, **__: object) -> Released:
        raise LedgerDamaged("another type")


def test_an_account_or_a_chore_that_fails_does_not_stop_the_others(
    link: RedisClient, ledger: WorkLedger, accept: Accept
) -> None:
    job_key = accept()
    seen: list[str] = []
    chored: list[str] = []

    def bad_chore(_: WorkLedger) -> None:
        raise ValueError

    dispatcher = Dispatcher(
        link,
        [Broken(link, "broken"), ledger],
        lambda lane, account, job_keys: seen.extend(job_keys),
        [bad_chore, lambda found: chored.append(found.account)],
    )
    link.command("HSET", WORKERS, "w", '{"at":9999999999999,"queues":["normal"],"want":4}')
    dispatcher._round()
    dispatcher._leave()
    assert (seen, chored) == ([job_key], ["default"])


def test_a_record_that_is_no_utf8_takes_no_other_with_it(ledger: WorkLedger, accept: Accept) -> None:
    broken, fine = accept(), accept()
    raw = ledger.link.command("GET", f"{ledger.prefix}j:{broken}")
    ledger.link.command("SET", f"{ledger.prefix}j:{broken}", raw[:-3] + b'"\xff"}')
    released = ledger.release("dispatcher", WANTED)
    assert [work.job_key for work in ledger.claim("t", released.job_keys["normal"])] == [broken, fine]


def test_a_record_of_a_newer_version_is_left_to_a_newer_worker(ledger: WorkLedger, accept: Accept) -> None:
    job_key = accept()
    raw = ledger.link.command("GET", f"{ledger.prefix}j:{job_key}")
    ledger.link.command("SET", f"{ledger.prefix}j:{job_key}", b"2|new|" + raw)
    released = ledger.release("dispatcher", WANTED)
    assert ledger.claim("t", released.job_keys["normal"]) == []
    ledger.link.command("ZADD", f"{ledger.prefix}rel:normal", 1, job_key)
    ledger.reap(most=10, retry_ms=1)
    ledger.link.command("SET", f"{ledger.prefix}j:{job_key}", raw)
    ledger.link.command("ZADD", f"{ledger.prefix}rel:normal", 1, job_key)
    ledger.reap(most=10, retry_ms=1)
    assert run_to_claim(ledger).job_key == job_key
    assert ledger.release("dispatcher", ONE).job_keys == {}
