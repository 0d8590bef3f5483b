"""A payload whose check never ends holds up three workers, and then no other."""

from __future__ import annotations

from typing import Any

from interakt_jobs import configure, send_text, settings
from interakt_jobs.ledger.keys import prefix
from sandbox.stack import Stack
from tests.waiting import until

from .conftest import QUICK

TEXT: Any = {"countryCode": "+91", "phoneNumber": "9999999999", "data": {"message": "Hello"}}
FREEZING: Any = {**TEXT, "data": {"message": "freeze"}}


def test_a_job_that_freezes_its_worker_is_a_dead_letter_the_third_time() -> None:
    with Stack(calls_per_minute=0, env={**QUICK, "INTERAKT_CALLS_PER_MINUTE": "60000"}) as stack:
        configure(stack.valkey.url, allow_unregistered=True)
        try:
            freezing = send_text.delay(FREEZING, repeat="always")
            others = [send_text.delay(TEXT, repeat="always") for _ in range(20)]
            link = settings.link()
            fences: set[bytes] = set()
            for crash in range(3):
                assert not freezing.ready(), f"after {crash}"
                stack.run(
                    "frozen", "celery", "-A", "tests.chaos.mutant:app", "worker", "-Q", "urgent,normal,intake",
                    "--pool", "threads", "-c", "4", "-n", "frozen@%h", env={"CHAOS_MUTATION": "freeze"},
                )  # fmt: skip
                until(lambda: claim_is_over(link, freezing.job_key, fences), 60)
                stack.kill("frozen")
            stack.worker()
            until(lambda: freezing.ready() and all(job.ready() for job in others), 60)
            reading = freezing.read()
            assert (reading.state, reading.reason, reading.ambiguous) == ("dead", "crash_loop", False)
            assert {job.status for job in others} == {"SUCCESS"}
            assert freezing.id not in {call["job"] for call in stack.sandbox.calls()}
        finally:
            configure(None)


def claim_is_over(link: Any, job_key: str, before: set[bytes]) -> bool:
    """Whether there is a claim that was not there ``before`` and that nobody renews: its process stands still."""
    step, fence = (link.command("HGET", f"{prefix('default')}fl", job_key) or b"|").split(b"|")[:2]
    till = link.command("ZSCORE", f"{prefix('default')}rel:normal", job_key)
    now = int(link.command("TIME")[0]) * 1000
    if step != b"c" or fence in before or till is None or float(till) > now:
        return False
    before.add(fence)
    return True
