"""Lanes do not hold each other up: calls that hang in one leave threads to an OTP."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from interakt_jobs import send_template, send_text
from sandbox.stack import Stack

from .conftest import QUICK, waited

TEXT = {"countryCode": "+91", "phoneNumber": "9999999999", "type": "Text", "data": {"message": "Hello"}}
TEMPLATE = {
    "countryCode": "+91",
    "phoneNumber": "9999999999",
    "type": "Template",
    "template": {"name": "welcome_message", "languageCode": "en", "bodyValues": ["John"]},
}


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    env = {**QUICK, "INTERAKT_CALLS_PER_MINUTE": "6000", "INTERAKT_HTTP_DEADLINE_SECONDS": "8"}
    with Stack(calls_per_minute=0, env=env) as running:
        running.worker(concurrency=8)
        running.bulk(concurrency=8)
        running.wait_for_workers(2)
        yield running


@pytest.mark.parametrize("lane", ["normal", "bulk"])
def test_calls_that_hang_change_nothing_for_urgent(stack: Stack, lane: str) -> None:
    stack.sandbox.faults(latency_ms=6000, only_operations=["send_template"])
    hanging = [found.job for found in send_template.delay_many([TEMPLATE] * 40, lane=lane)]
    time.sleep(3)
    jobs = []
    for _ in range(20):
        jobs.append((time.time(), send_text.delay(TEXT, lane="urgent")))
        time.sleep(0.05)
    assert max(waited(stack, jobs)) < 1.0
    stack.sandbox.faults()
    assert all(job and job.get(timeout=60)["id"] for job in hanging)
