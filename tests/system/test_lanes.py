"""Lanes do not hold each other up: calls that hang in one leave threads to an OTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from interakt_jobs import send_template, send_text
from sandbox.stack import Stack
from tests.waiting import until_still

from .conftest import QUICK

TEXT = {"countryCode": "+91", "phoneNumber": "9999999999", "type": "Text", "data": {"message": "Hello"}}
TEMPLATE = {
    "countryCode": "+91",
    "phoneNumber": "9999999999",
    "type": "Template",
    "template": {"name": "welcome_message", "languageCode": "en", "bodyValues": ["John"]},
}


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    env = {**QUICK, "INTERAKT_CALLS_PER_MINUTE": "6000", "INTERAKT_HTTP_DEADLINE_SECONDS": "300"}
    with Stack(calls_per_minute=0, env=env) as running:
        running.worker(concurrency=8)
        running.bulk(concurrency=8)
        running.wait_for_workers(2)
        yield running


@pytest.mark.parametrize("lane", ["normal", "bulk"])
def test_calls_that_hang_change_nothing_for_urgent(stack: Stack, lane: str) -> None:
    stack.sandbox.faults(hold=True, only_operations=["send_template"])
    hanging = [found.job for found in send_template.delay_many([TEMPLATE] * 40, lane=lane)]
    until_still(lambda: stack.sandbox.summary()["simultaneous"], 1.0)
    jobs = [send_text.delay(TEXT, lane="urgent") for _ in range(20)]
    assert all(job.get(timeout=60)["id"] for job in jobs)
    assert not any(job and job.ready() for job in hanging), "they hang all the while"
    stack.sandbox.faults()
    assert all(job and job.get(timeout=60)["id"] for job in hanging)
