"""SIGQUIT ends a worker without a new call: what was under way ends, the rest stays in the ledger."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from interakt_jobs import configure, send_text
from sandbox.stack import Stack
from tests.waiting import until

from .conftest import QUICK

TEXT: Any = {"countryCode": "+91", "phoneNumber": "9999999999", "data": {"message": "Hello"}}
THREADS = 4


@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGTERM])
@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_no_call_begins_after_the_signal(number: signal.Signals, pool: str) -> None:
    env = {**QUICK, "INTERAKT_CALLS_PER_MINUTE": "60000", "INTERAKT_HTTP_DEADLINE_SECONDS": "8"}
    with Stack(calls_per_minute=0, env=env) as stack:
        worker = stack.worker(queues="normal", pool=pool, concurrency=THREADS)
        stack.wait_for_workers()
        configure(stack.valkey.url)
        try:
            stack.sandbox.faults(share_hang=1, hang_seconds=0)
            jobs = [send_text.delay(TEXT, repeat="always") for _ in range(60)]
            until(lambda: len(stack.sandbox.calls()) >= THREADS)
            worker.send_signal(number)
            worker.wait(60)
            calls = stack.sandbox.calls()
            assert len(calls) == THREADS
            called = {call["job"] for call in calls}
            assert not any(job.ready() for job in jobs if job.id not in called)
        finally:
            configure(None)
            stack.processes.clear()
