"""Two accounts in one deployment, and lanes that do not hold each other up."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from interakt_jobs import Job, send_template, send_text
from sandbox.stack import Stack

from .conftest import QUICK

TEXT = {"countryCode": "+91", "phoneNumber": "9999999999", "type": "Text", "data": {"message": "Hello"}}
OTHER_KEY = "c2FuZGJveC1rZXktb2YtYnJhbmQtYg=="


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    env = {
        **QUICK,
        "INTERAKT_CALLS_PER_MINUTE": "6000",
        "INTERAKT_HTTP_DEADLINE_SECONDS": "8",
        "INTERAKT_API_KEY__BRAND_B": OTHER_KEY,
        "INTERAKT_CALLS_PER_MINUTE__BRAND_B": "600",
    }
    with Stack(calls_per_minute=0, env=env) as running:
        running.worker(concurrency=12)
        running.bulk(concurrency=12)
        running.wait_for_workers(2)
        yield running


def waited(stack: Stack, jobs: list[tuple[float, Job]], timeout: float = 6.0) -> list[float]:
    """Seconds from ``.delay()`` to the arrival of each job's request."""
    end = time.monotonic() + timeout
    arrived: dict[str | None, float] = {}
    while time.monotonic() < end and not all(job.id in arrived for _, job in jobs):
        arrived = {call.job: call.arrived for call in stack.sandbox.arrivals()}
        time.sleep(0.05)
    return [arrived.get(job.id, float("inf")) - called for called, job in jobs]


def test_calls_that_hang_in_one_account_do_not_slow_another(stack: Stack) -> None:
    stack.sandbox.faults(latency_ms=7000, only_accounts=[label(stack, account="default")])
    hanging = [send_text.delay(TEXT) for _ in range(60)]
    time.sleep(2)
    jobs = []
    for _ in range(20):
        jobs.append((time.time(), send_text.delay(TEXT, account="brand_b")))
        time.sleep(0.1)
    assert max(waited(stack, jobs)) < 1.5
    stack.sandbox.faults()
    assert all(job.get(timeout=40)["id"] for job in hanging)


def test_a_refused_key_pauses_its_own_account_only(stack: Stack) -> None:
    stack.sandbox.faults(status=401, only_accounts=[label(stack, account="brand_b")])
    refused = [send_text.delay(TEXT, account="brand_b") for _ in range(5)]
    fine = [send_text.delay(TEXT) for _ in range(20)]
    assert all(job.get(timeout=10)["status"] < 300 for job in fine)
    assert all(job.status == "PENDING" for job in refused), "they wait, they do not die"
    for job in refused:
        job.revoke()
    stack.sandbox.faults()


def test_bulk_calls_that_hang_change_nothing_for_urgent(stack: Stack) -> None:
    stack.sandbox.faults(latency_ms=5000, only_operations=["send_template"])
    template = {
        "countryCode": "+91",
        "phoneNumber": "9999999999",
        "type": "Template",
        "template": {"name": "welcome_message", "languageCode": "en", "bodyValues": ["John"]},
    }
    hanging = list(send_template.delay_many([template] * 60, lane="bulk"))
    time.sleep(1.5)
    jobs = []
    for _ in range(20):
        jobs.append((time.time(), send_text.delay(TEXT, lane="urgent")))
        time.sleep(0.05)
    assert max(waited(stack, jobs)) < 1.0
    stack.sandbox.faults()
    assert len(hanging) == 60


def label(stack: Stack, account: str) -> str:
    """The sandbox's name for an account, from a call that is made with its key."""
    job = send_text.delay(TEXT, account=account)
    job.get(timeout=10)
    return next(call["account"] for call in stack.sandbox.calls() if call["job"] == job.id)
