"""Two accounts in one deployment."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import interakt_jobs
from interakt_jobs import send_text
from interakt_jobs.ledger.redis_client import RedisClient
from sandbox.stack import Stack
from tests.waiting import until, until_still
from worker.ledger import accounts
from worker.ledger.work_ledger import WorkLedger

from .conftest import QUICK

TEXT = {"countryCode": "+91", "phoneNumber": "9999999999", "type": "Text", "data": {"message": "Hello"}}
OTHER_KEY = "c2FuZGJveC1rZXktb2YtYnJhbmQtYg=="


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    env = {
        **QUICK,
        "INTERAKT_CALLS_PER_MINUTE": "6000",
        "INTERAKT_HTTP_DEADLINE_SECONDS": "300",
        "INTERAKT_API_KEY__BRAND_B": OTHER_KEY,
        "INTERAKT_CALLS_PER_MINUTE__BRAND_B": "600",
    }
    with Stack(calls_per_minute=0, env=env) as running:
        running.worker(concurrency=12)
        running.bulk(concurrency=12)
        running.wait_for_workers(2)
        yield running


def test_calls_that_hang_in_one_account_do_not_slow_another(stack: Stack) -> None:
    stack.sandbox.faults(hold=True, only_accounts=[label(stack, account="default")])
    hanging = [send_text.delay(TEXT) for _ in range(60)]
    until_still(lambda: stack.sandbox.summary()["simultaneous"], 1.0)
    jobs = [send_text.delay(TEXT, account="brand_b") for _ in range(20)]
    assert all(job.get(timeout=60)["id"] for job in jobs)
    assert not any(job.ready() for job in hanging), "they hang all the while"
    stack.sandbox.faults()
    assert all(job.get(timeout=60)["id"] for job in hanging)


def test_a_refused_key_pauses_its_own_account_only(stack: Stack) -> None:
    stack.sandbox.faults(status=401, only_accounts=[label(stack, account="brand_b")])
    refused = [send_text.delay(TEXT, account="brand_b") for _ in range(5)]
    fine = [send_text.delay(TEXT) for _ in range(20)]
    assert all(job.get(timeout=60)["status"] < 300 for job in fine)
    assert all(job.status == "PENDING" for job in refused), "they wait, they do not die"
    for job in refused:
        job.revoke()
    stack.sandbox.faults()


def test_an_account_whose_key_is_taken_away_takes_no_more_jobs(stack: Stack) -> None:
    """The last one here: the workers have one account afterwards."""
    link = RedisClient(stack.valkey.url)
    accounts.resume(WorkLedger(link, "brand_b"))  # the test before has paused it
    for name in ("worker", "bulk"):
        assert stack.end(name) == 0
    waits = send_text.delay(TEXT, account="brand_b")
    assert waits.id, "while no worker lives, all is accepted"
    stack.worker("alone", env={"INTERAKT_API_KEY__BRAND_B": "", "INTERAKT_CALLS_PER_MINUTE__BRAND_B": ""})

    def refused() -> str:
        try:
            send_text.delay(TEXT, account="brand_b")
        except interakt_jobs.Unregistered as error:
            return str(error)
        return ""

    assert "no key for the account 'brand_b' any more" in until(refused)
    assert send_text.delay(TEXT).get(timeout=60)["status"] < 300
    assert [line["account"] for line in stack.lines("alone", "account_keyless")] == ["brand_b"]
    stack.worker("again")
    until(lambda: not refused())
    assert waits.get(timeout=60)["status"] < 300


def label(stack: Stack, account: str) -> str:
    """The sandbox's name for an account, from a call that is made with its key."""
    job = send_text.delay(TEXT, account=account)
    job.get(timeout=60)
    return next(call["account"] for call in stack.sandbox.calls() if call["job"] == job.id)
