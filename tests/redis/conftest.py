"""A ledger on an emptied real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from interakt_jobs import OPERATIONS, run_campaign
from interakt_jobs.ledger.client import JobOptions, NewJob
from interakt_jobs.ledger.keys import ACCOUNTS, mint_job_key
from interakt_jobs.ledger.redis_client import RedisClient
from worker.ledger.work_ledger import WorkLedger
from worker.process import REGISTER

from .clock import Clock

FLAGS = {name: found.flags for name, found in {**OPERATIONS, "run_campaign": run_campaign}.items()}


@pytest.fixture
def link(redis_url: str) -> Iterator[RedisClient]:
    found = RedisClient(redis_url)
    yield found
    found.close()


@pytest.fixture
def ledger(link: RedisClient) -> WorkLedger:
    """The default account at 60,000 calls a minute."""
    found = WorkLedger(link, "default")
    link.command("SADD", ACCOUNTS, "default")
    link.run(REGISTER, [found.prefix], 60000, 60000)
    return found


@pytest.fixture
def clock(ledger: WorkLedger) -> Clock:
    """The ledger's time stands still, and moves when the test says so."""
    return Clock(ledger.link)


@pytest.fixture
def accept(ledger: WorkLedger) -> Callable[..., str]:
    """Accept one job and return its job_key."""

    def accept_one(operation: str = "send_text", payload: str = '{"a":1}', **terms: object) -> str:
        own = {name: str(terms.pop(name)) for name in ("recipient", "group", "options") if name in terms}
        job_key = str(terms.pop("job_key", mint_job_key()))
        chosen = {"lane": "normal", "repeat": "after_hold", "flags": FLAGS[operation], **terms}
        ledger.accept(JobOptions(operation, **chosen), [NewJob(job_key, payload, **own)])  # type: ignore[arg-type]
        return job_key

    return accept_one
