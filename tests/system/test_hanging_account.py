"""An account whose urgent calls hang leaves threads of each process to the OTPs of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from interakt_jobs import send_auth_template
from sandbox.stack import Stack
from tests.waiting import until

from .conftest import QUICK

CODE = {
    "name": "auth_one_tap_code",
    "languageCode": "en",
    "bodyValues": ["77"],
    "buttonValues": {"0": ["77"]},
}
OTP: Any = {"countryCode": "+91", "phoneNumber": "9999999999", "template": CODE}
OTHER_KEY = "c2FuZGJveC1rZXktb2YtYnJhbmQtYg=="
SLOTS = 8


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    env = {
        **QUICK,
        "INTERAKT_CALLS_PER_MINUTE": "6000",
        "INTERAKT_HTTP_DEADLINE_SECONDS": "300",  # a call that hangs does so for the whole test
        "INTERAKT_API_KEY__BRAND_B": OTHER_KEY,
    }
    with Stack(calls_per_minute=0, env=env) as running:
        running.worker("one", concurrency=SLOTS)
        running.worker("two", concurrency=SLOTS)
        running.wait_for_workers(2)
        yield running
        for name in ("one", "two"):
            running.kill(name)  # SIGTERM would wait for what hangs


def test_otps_of_an_account_go_out_beside_an_account_that_hangs(stack: Stack) -> None:
    send_auth_template.delay(OTP, account="brand_b").get(timeout=60)
    (brand_b,) = {call["account"] for call in stack.sandbox.calls()}
    stack.sandbox.faults(share_hang=1, hang_seconds=0, only_accounts=[brand_b])
    for _ in range(100):
        send_auth_template.delay(OTP, account="brand_b", expires=3600)

    def hanging() -> int:
        return Counter(call["account"] for call in stack.sandbox.calls() if call["status"] is None)[brand_b]

    until(lambda: hanging() >= SLOTS)
    jobs = [send_auth_template.delay(OTP, expires=3600) for _ in range(100)]
    until(lambda: all(job.ready() for job in jobs), 120)
    assert {job.status for job in jobs} == {"SUCCESS"}
    assert all(job.read().attempts == 1 for job in jobs)
    assert hanging() == SLOTS, "half of each process's threads, and none of them has ended"
