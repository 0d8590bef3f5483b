"""A Redis that has lost its data, or has older data: the workers that live notice, register anew and hold bulk."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner

import interakt_jobs
from interakt_jobs.errors import LedgerDamaged, Unregistered
from interakt_jobs.ledger.keys import ACCOUNTS, LATER, POISON, prefix
from interakt_jobs.ledger.redis_client import RedisClient
from tasks import send_text
from tasks.job_task import served
from tests.waiting import until
from worker.checks.ledger import examine_data
from worker.cli import main
from worker.dispatch.heartbeat import BEAT, NEWEST, WORKERS, Heartbeat
from worker.dispatch.witness import BACK_MS, Witness
from worker.ledger import accounts, status
from worker.ledger.set_aside import SetAside
from worker.ledger.work_ledger import PERMIT, WorkLedger
from worker.process import REGISTER
from worker.telemetry import sentry

STATE, BULK = f"{prefix('default')}state", {"urgent": 9, "normal": 9, "bulk": 9}
Accept = Callable[..., str]


def beat(link: RedisClient, *witnesses: Witness, token: str = "token", first: bool = False) -> None:
    for witness in witnesses:
        entry = json.dumps({"host": "here", "pid": 1, "queues": ["bulk"], "want": 1})[1:]
        witness.look(int(link.run(BEAT, [WORKERS, NEWEST], token, entry, "0" if first else "1")))


def living(link: RedisClient, ledger: WorkLedger) -> Witness:
    """A worker that has lived through three beats."""
    made = Witness([ledger])
    for _ in range(3):
        beat(link, made)
    return made


def lost(link: RedisClient) -> bool:
    return bool(status.read(link, "default").lost_ms)


@pytest.fixture
def flush(link: RedisClient) -> Callable[[], object]:
    return lambda: link.command("FLUSHALL")


def test_an_empty_redis_at_the_first_start_is_no_loss(link: RedisClient, ledger: WorkLedger) -> None:
    living(link, ledger)
    living(link, ledger)
    assert not lost(link)


def test_a_redis_that_was_emptied_is_registered_again(
    link: RedisClient,
    ledger: WorkLedger,
    accept: Accept,
    flush: Any,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alarms: list[Any] = []
    monkeypatch.setattr(sentry, "capture", lambda *said: alarms.append(said))
    worker = living(link, ledger)
    flush()
    with pytest.raises(Unregistered):
        accept()
    beat(link, worker)
    assert accept()
    assert lost(link)
    (record,) = (each for each in caplog.records if each.levelno == logging.CRITICAL)
    assert (record.action, record.account) == ("data_lost", "default")  # type: ignore[attr-defined]
    assert [said[0] for said in alarms] == ["data_lost"]


def test_what_persons_had_set_holds_again(link: RedisClient, ledger: WorkLedger, flush: Any) -> None:
    accounts.set_rate(ledger, 120, 30.0)
    accounts.set_shares(ledger, "urgent=50,normal=30,bulk=20")
    accounts.pause(ledger, 3600, "holiday")
    worker = living(link, ledger)
    flush()
    beat(link, worker)
    found = status.read(link, "default")
    assert (found.rate, found.window_ms, found.why) == (120, 30_000, "holiday")
    assert link.command("HGET", STATE, "share_normal") == b"30"


def test_the_first_call_waits_for_a_whole_window(link: RedisClient, ledger: WorkLedger, flush: Any) -> None:
    worker = living(link, ledger)
    flush()
    seconds, micros = link.command("TIME")
    beat(link, worker)
    credit = 8 * 60_000_000 / 59_992 + 1  # what urgent may run ahead of the spacing at 60,000 a minute
    free = int(link.command("HGET", f"{prefix('default')}bud", "tat")) - credit
    assert free >= int(seconds) * 1_000_000 + int(micros) + 60_000_000
    assert int(link.run(PERMIT, [ledger.prefix], "urgent")) > 0


def test_bulk_waits_for_a_person_and_the_other_lanes_do_not(
    link: RedisClient, ledger: WorkLedger, accept: Accept, flush: Any
) -> None:
    worker = living(link, ledger)
    flush()
    beat(link, worker)
    link.command("DEL", f"{prefix('default')}bud")
    bulk, normal = accept(lane="bulk"), accept()
    assert ledger.release("dispatcher", BULK).job_keys == {"normal": [normal]}
    assert accounts.confirm_loss(ledger)
    assert ledger.release("dispatcher", BULK).job_keys == {"bulk": [bulk]}
    assert not lost(link)
    assert not accounts.confirm_loss(ledger), "once is enough"


def test_a_bulk_job_that_was_claimed_before_goes_back(
    link: RedisClient, ledger: WorkLedger, accept: Accept, flush: Any
) -> None:
    worker = living(link, ledger)
    flush()
    beat(link, worker)
    accounts.confirm_loss(ledger)
    link.command("DEL", f"{prefix('default')}bud")
    job_key = accept(lane="bulk")
    (work,) = ledger.claim("token", ledger.release("dispatcher", BULK).job_keys["bulk"])
    link.command("HSET", STATE, "lost_at", 1)
    assert ledger.start(job_key, work.fence)[::2] == ("back", "data lost")
    assert ledger.read(job_key).state == "ready"


def test_two_workers_that_notice_at_once_do_it_once(
    link: RedisClient, ledger: WorkLedger, flush: Any, caplog: pytest.LogCaptureFixture
) -> None:
    workers = [living(link, ledger) for _ in range(3)]
    flush()
    beat(link, workers[0])
    before = link.command("HGETALL", STATE), link.command("HGETALL", f"{prefix('default')}bud")
    accounts.confirm_loss(ledger)
    beat(link, *workers, *workers)
    assert not lost(link), "who notices late does not undo what was confirmed"
    assert len([each for each in caplog.records if each.levelno == logging.CRITICAL]) == 1
    assert before[1] == link.command("HGETALL", f"{prefix('default')}bud")


def test_a_worker_that_starts_after_the_loss_does_not_hide_it(
    link: RedisClient, ledger: WorkLedger, flush: Any
) -> None:
    worker = living(link, ledger)
    flush()
    until(lambda: int(link.command("TIME")[1]) // 1000 != int(worker._states["default"][b"since"]) % 1000)
    link.run(REGISTER, [ledger.prefix], 300, 60000)
    beat(link, Witness([ledger]), first=True)
    beat(link, worker)
    assert lost(link)
    assert status.read(link, "default").rate == 60_000


def test_a_second_loss_is_noticed_too(link: RedisClient, ledger: WorkLedger, flush: Any) -> None:
    worker = living(link, ledger)
    for _ in range(2):
        flush()
        beat(link, worker)
        assert accounts.confirm_loss(ledger)
        beat(link, worker, worker)
        assert not lost(link)


def test_one_account_that_is_gone_is_the_only_one_held(link: RedisClient, ledger: WorkLedger) -> None:
    other = WorkLedger(link, "brand_b")
    link.command("SADD", ACCOUNTS, other.account)
    link.run(REGISTER, [other.prefix], 60, 60000)
    worker = Witness([ledger, other])
    beat(link, worker)
    link.command("DEL", f"{other.prefix}state")
    beat(link, worker)
    assert status.losses(link) == ["brand_b"]
    assert status.read(link, "brand_b").rate == 60


def test_the_list_of_accounts_is_written_again(link: RedisClient, ledger: WorkLedger) -> None:
    worker = living(link, ledger)
    link.command("DEL", ACCOUNTS)
    beat(link, worker)
    assert link.command("SMEMBERS", ACCOUNTS) == [b"default"]
    assert not lost(link), "nothing else is gone"


def test_a_redis_with_older_data_is_noticed(link: RedisClient, ledger: WorkLedger) -> None:
    workers = [living(link, ledger) for _ in range(2)]
    accounts.set_rate(ledger, 500, 60)
    beat(link, *workers)
    newest = int(link.command("GET", NEWEST))
    # as a backup of an hour ago has it
    link.command("SET", NEWEST, newest - 3_600_000)
    link.command("HSET", STATE, "rate", 100)
    beat(link, Witness([ledger]), first=True)
    beat(link, *workers)
    assert lost(link)
    assert status.read(link, "default").rate == 500
    assert accounts.confirm_loss(ledger)
    beat(link, *workers)
    assert not lost(link)


def test_jobs_of_older_data_wait_for_a_person_and_new_ones_go(
    link: RedisClient, ledger: WorkLedger, accept: Accept
) -> None:
    worker = living(link, ledger)
    released, ready = accept(), accept()
    assert ledger.release("dispatcher", {"normal": 1}).job_keys == {"normal": [released]}
    link.command("SET", NEWEST, 1)
    beat(link, worker)
    link.command("DEL", f"{prefix('default')}bud")
    new = accept()
    assert ledger.release("dispatcher", BULK).job_keys == {"normal": [new]}
    assert status.read(link, "default").lanes["normal"].doubt == 2
    for job_key in (released, ready):
        waiting = ledger.waits_for(job_key)
        assert waiting and "confirm-loss" in waiting.why
    ledger.cancel(ready)
    assert accounts.confirm_loss(ledger)
    assert released in ledger.release("dispatcher", BULK).job_keys["normal"]
    assert [each for each in ledger.claim("token", [released, ready]) if each.job_key == ready] == []


def test_the_last_seconds_before_a_crash_are_no_loss(link: RedisClient, ledger: WorkLedger) -> None:
    worker = living(link, ledger)
    link.command("SET", NEWEST, int(link.command("GET", NEWEST)) - BACK_MS // 2)
    beat(link, worker)
    link.command("DEL", NEWEST)
    beat(link, worker, worker)
    assert not lost(link)


def test_what_redis_cannot_do_now_is_done_at_the_next_beat(
    link: RedisClient, ledger: WorkLedger, flush: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = living(link, ledger)
    link.command("SET", NEWEST, 1)
    with monkeypatch.context() as broken:
        broken.setattr(Witness, "_restore", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            beat(link, worker)
    beat(link, worker)
    assert lost(link)


def test_the_heartbeat_looks(link: RedisClient, ledger: WorkLedger) -> None:
    heartbeat = Heartbeat(link, lease_seconds=3, queues=["bulk"])
    heartbeat.on_beat = (seen := list[int]()).append
    for _ in range(3):
        heartbeat._tell()
    assert seen[:2] == [0, 0] and seen[2] > 0, "the first beat only asks"


@pytest.mark.parametrize("key", [NEWEST, STATE, ACCOUNTS])
def test_another_type_does_not_blind_it(
    link: RedisClient, ledger: WorkLedger, accept: Accept, key: str
) -> None:
    worker, aside = living(link, ledger), SetAside(link, [ledger])
    link.command("DEL", key)
    link.command("RPUSH", key, "somebody's")
    for _ in range(2):
        with contextlib.suppress(LedgerDamaged):
            ledger.release("dispatcher", {})
            beat(link, worker)
        aside.look()
    beat(link, worker)
    assert accept()
    assert lost(link) == (key == STATE), "what the account was allowed is not known any more"
    assert status.read(link, "default").rate == 60_000


@pytest.mark.parametrize(("account", "kept"), [("default", (1, 0)), ("mistyped", (0, 1))])
def test_a_message_by_name_is_kept_until_its_account_is_back(
    link: RedisClient, redis_url: str, monkeypatch: pytest.MonkeyPatch, account: str, kept: tuple[int, int]
) -> None:
    served.add("default")
    interakt_jobs.configure(redis_url)
    text = {"countryCode": "+91", "phoneNumber": "9999999999", "type": "Text", "data": {"message": "hello"}}
    send_text.push_request(id="0" * 32)
    try:
        assert send_text.accept([text], {"account": account}) is None
    finally:
        send_text.pop_request()
        served.clear()
        interakt_jobs.configure(None)
    assert (link.command("LLEN", LATER), link.command("XLEN", POISON)) == kept


def test_every_place_where_an_operator_looks_names_it(
    link: RedisClient, ledger: WorkLedger, flush: Any, redis_url: str
) -> None:
    worker = living(link, ledger)
    flush()
    beat(link, worker)
    environ = {"REDIS_URL": redis_url, "COLUMNS": "200"}

    def said(*words: str) -> str:
        return CliRunner().invoke(main, list(words), env=environ).output

    command = "account confirm-loss default"
    (check,) = examine_data(link)
    assert check.mark == "failure" and command in check.mend
    assert command in said("status") and command in said("health")
    assert "bulk goes again" in said("account", "confirm-loss", "default")
    assert "account_confirm_loss" in said("audit")
    assert "LOST" not in said("status") + said("health")
    assert not list(examine_data(link))
