"""A whole stack: a real server, a sandbox and worker processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import interakt_jobs
from sandbox.control import Sandbox
from sandbox.stack import Stack

QUICK = {
    "INTERAKT_LEASE_SECONDS": "3",
    "INTERAKT_RELEASE_SECONDS": "2",
    "INTERAKT_HOLD_SECONDS": "1",
    "INTERAKT_OTP_HOLD_SECONDS": "0.5",
    "INTERAKT_NEVER_HOLD_SECONDS": "1",
    "INTERAKT_RETRY_BASE_SECONDS": "0.1",
    "INTERAKT_RETRY_CAP_SECONDS": "0.5",
    "INTERAKT_HTTP_DEADLINE_SECONDS": "2",
}


@pytest.fixture(scope="module")
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """Valkey, a sandbox without limits, a worker and a bulk worker."""
    with Stack(calls_per_minute=0, env={**QUICK, "INTERAKT_CALLS_PER_MINUTE": "60000"}) as running:
        running.worker()
        running.bulk()
        running.wait_for_workers(2)
        yield running
        if request.session.testsfailed:
            print(*(running.tail(name) for name in running.processes), sep="\n")


@pytest.fixture(autouse=True)
def producer(request: pytest.FixtureRequest) -> Iterator[None]:
    """This process enqueues to the stack, if the test uses one."""
    if "stack" in request.fixturenames:
        found: Stack = request.getfixturevalue("stack")
        interakt_jobs.configure(found.valkey.url)
        found.sandbox.faults()
        yield
        interakt_jobs.configure(None)
    else:
        yield


@pytest.fixture(scope="module")
def running_sandbox() -> Iterator[Sandbox]:
    with Sandbox(calls_per_minute=0) as sandbox:
        yield sandbox
        assert sandbox.errors == ""


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Sandbox:
    """One without limit or faults that remembers nothing."""
    running_sandbox.reset()
    running_sandbox.settings(calls_per_minute=0, window_seconds=60, window="sliding", retry_after=False)
    return running_sandbox
