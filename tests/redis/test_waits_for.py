"""A job that waits says why and until when."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner

from interakt_jobs import Job, configure
from interakt_jobs.ledger.keys import WORKERS, job_id, prefix
from interakt_jobs.ledger.redis_client import RedisClient
from interakt_jobs.ledger.waiting import LATER, RETRY, Waiting, waits_for
from worker.cli import main
from worker.ledger import accounts
from worker.ledger.work_ledger import WorkLedger

Accept = Callable[..., str]
STATE = f"{prefix('default')}state"


def now_ms(link: RedisClient) -> int:
    seconds, micros = link.command("TIME")
    return int(seconds) * 1000 + int(micros) // 1000


@pytest.fixture(autouse=True)
def worker(link: RedisClient, ledger: WorkLedger) -> None:
    """One that serves urgent and normal lives."""
    entry = {"at": now_ms(link), "queues": ["urgent", "normal"], "want": 1}
    link.command("HSET", WORKERS, "token", json.dumps(entry))


def waiting(ledger: WorkLedger, job_key: str) -> Waiting:
    found = waits_for(ledger, ledger.read(job_key))
    assert found
    return found


def test_until_its_time_has_come(link: RedisClient, ledger: WorkLedger, accept: Accept) -> None:
    began = now_ms(link)
    found = waiting(ledger, accept(not_before="+60000"))
    assert found.why == LATER
    assert began + 60_000 <= found.until <= now_ms(link) + 60_000


def test_for_its_next_attempt(link: RedisClient, ledger: WorkLedger, accept: Accept) -> None:
    job_key = accept()
    (work,) = ledger.claim("token", ledger.release("dispatcher", {"normal": 1}).job_keys["normal"])
    ledger.start(job_key, work.fence)
    ledger.step(work, ("retry", 60_000, "HTTP 503", "{}"))
    found = waiting(ledger, job_key)
    assert found.why == RETRY and found.until > now_ms(link)


def test_for_a_receipt(link: RedisClient, ledger: WorkLedger, accept: Accept) -> None:
    link.command("HSET", STATE, "receipts_at", now_ms(link))
    job_key = accept()
    (work,) = ledger.claim("token", ledger.release("dispatcher", {"normal": 1}).job_keys["normal"])
    ledger.start(job_key, work.fence)
    assert waits_for(ledger, ledger.read(job_key)) is None, "a call is under way"
    ledger.step(work, ("unknown", "no answer", "", 1000))
    found = waiting(ledger, job_key)
    assert "held for a receipt" in found.why and found.until > now_ms(link)


def test_for_its_template(link: RedisClient, ledger: WorkLedger, accept: Accept) -> None:
    job_key = accept("send_template", group="diwali_offer:en")
    (work,) = ledger.claim("token", ledger.release("dispatcher", {"normal": 1}).job_keys["normal"])
    accounts.pause_template(ledger, "diwali_offer:en", 3600, "not approved")
    ledger.start(job_key, work.fence)
    found = waiting(ledger, job_key)
    assert found.why == "the template diwali_offer:en is paused: not approved"
    assert found.until > now_ms(link)


def test_for_a_person_who_paused_the_account(link: RedisClient, ledger: WorkLedger, accept: Accept) -> None:
    job_key = accept()
    accounts.pause(ledger, 3600, "new price list")
    found = waiting(ledger, job_key)
    assert found.why == "the account is paused: new price list" and found.until > now_ms(link)


def test_for_the_breaker(link: RedisClient, ledger: WorkLedger, accept: Accept) -> None:
    job_key = accept()
    until = now_ms(link) + 30_000
    link.command("HSET", STATE, "breaker", "open", "why", "unavailable: 5xx", "paused_until", until)
    assert waiting(ledger, job_key) == ("the account is paused: unavailable: 5xx", until)
    link.command("HSET", STATE, "paused_until", 1)
    assert waiting(ledger, job_key) == ("the account is tried with one call at a time: unavailable: 5xx", 0)


def test_for_a_worker_of_its_lane(link: RedisClient, ledger: WorkLedger, accept: Accept) -> None:
    assert waiting(ledger, accept(lane="bulk")) == ("no worker serves the lane bulk", 0)
    link.command("HSET", WORKERS, "token", json.dumps({"at": 1, "queues": ["normal"], "want": 1}))
    assert waiting(ledger, accept()).why == "no worker serves the lane normal", "it died long ago"


def test_for_a_person_after_a_loss_of_data(link: RedisClient, ledger: WorkLedger, accept: Accept) -> None:
    link.command("HSET", STATE, "lost_at", 1)
    assert "confirm-loss" in waiting(ledger, accept(lane="bulk")).why
    assert "confirm-loss" not in waiting(ledger, accept()).why


def test_for_the_limit(link: RedisClient, ledger: WorkLedger, accept: Accept) -> None:
    accounts.set_rate(ledger, 60, 60)
    job_keys = [accept() for _ in range(3)]
    free = now_ms(link) + 10_000
    link.command("HSET", f"{prefix('default')}bud", "tat", free * 1000)
    assert [waiting(ledger, job_key).until for job_key in job_keys] == [free, free + 1000, free + 2000]
    assert waiting(ledger, job_keys[2]).why == "the limit, and 2 jobs of its lane before it"


def test_on_its_way_and_ended(ledger: WorkLedger, accept: Accept) -> None:
    job_key = accept()
    ledger.release("dispatcher", {"normal": 1})
    assert waiting(ledger, job_key).why == "it is on its way to a worker"
    ledger.cancel(job_key)
    assert waits_for(ledger, ledger.read(job_key)) is None


def test_an_application_and_an_operator_are_told(ledger: WorkLedger, accept: Accept, redis_url: str) -> None:
    id = job_id("default", accept(not_before="+3600000"))
    configure(redis_url)
    try:
        found = Job(id).waits_for()
    finally:
        configure(None)
    assert found and found.why == LATER
    environ = {"REDIS_URL": redis_url}
    shown = CliRunner().invoke(main, ["job", "show", id], env=environ).output
    assert f"waits for: {LATER}, until 20" in shown and "UTC (in " in shown
    told = json.loads(CliRunner().invoke(main, ["job", "show", id, "--json"], env=environ).output)
    assert told["waits_for"] == {"why": found.why, "until": found.until}
