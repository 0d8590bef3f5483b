"""An account whose key was taken from the workers takes no more jobs, and says so until a worker has the key again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

import pytest
from click.testing import CliRunner

from interakt_jobs import Unregistered
from interakt_jobs.ledger.client import JobOptions, NewJob
from interakt_jobs.ledger.keys import ACCOUNTS, KEYLESS, WORKERS
from interakt_jobs.ledger.redis_client import RedisClient
from worker.cli import main
from worker.doctor import examine
from worker.ledger import status
from worker.ledger.keyless import SILENT_MS, KeyWatch
from worker.ledger.work_ledger import WorkLedger
from worker.process import REGISTER

Accept = Callable[..., str]
TERMS = JobOptions("send_text", "normal")


@pytest.fixture
def other(link: RedisClient, ledger: WorkLedger) -> WorkLedger:
    """Another registered account."""
    found = WorkLedger(link, "brand_b")
    link.command("SADD", ACCOUNTS, found.account)
    link.run(REGISTER, [found.prefix], 300, 60000)
    return found


def worker(link: RedisClient, token: str, *accounts: str, age_ms: int = 0, **more: object) -> None:
    now = int(link.command("TIME")[0]) * 1000
    entry = {"pid": 1, "host": "h", "queues": ["normal"], "slots": 1, "want": 1, "at": now - age_ms, **more}
    link.command("HSET", WORKERS, token, json.dumps({**entry, "accounts": accounts} if accounts else entry))


def accept(ledger: WorkLedger, job_key: str) -> list[str]:
    return ledger.accept(TERMS, [NewJob(job_key, '{"a":1}')])


def test_an_account_that_no_living_worker_serves_takes_no_jobs(link: RedisClient, other: WorkLedger) -> None:
    accept(other, "before")
    worker(link, "one", "default")
    watch = KeyWatch()
    watch.look(link)
    accept(other, "between")
    watch.look(link)
    with pytest.raises(Unregistered, match="the workers have no key for the account 'brand_b' any more"):
        accept(other, "after")
    assert accept(other, "before") == ["known"], "what was accepted before is told when it is asked for again"
    assert other.accept(
        JobOptions("send_text", "normal", allow_unregistered=True), [NewJob("allowed", "{}")]
    ) == ["new"]
    assert accept(WorkLedger(link, "default"), "mine") == ["new"]
    assert (status.read(link, "brand_b").keyless_ms > 0, status.read(link, "brand_b").waiting) == (True, 3)
    assert status.read(link, "default").keyless_ms == 0


@pytest.mark.parametrize("back", ["it registers", "it is heard of again"])
def test_it_takes_jobs_again_when_a_worker_has_the_key(
    link: RedisClient, other: WorkLedger, back: str
) -> None:
    worker(link, "one", "default")
    watch = KeyWatch()
    watch.look(link)
    watch.look(link)
    if back == "it registers":
        link.command("SADD", ACCOUNTS, other.account)
        link.run(REGISTER, [other.prefix], 300, 60000)
    worker(link, "two", "brand_b")
    assert back == "it registers" or watch.look(link) is None
    assert accept(other, "after") == ["new"]
    watch.look(link)
    assert not link.command("SMEMBERS", KEYLESS)
    assert status.read(link, "brand_b").keyless_ms == 0


@pytest.mark.parametrize(
    "living",
    [
        {},  # nobody lives: a deploy, a machine that is down
        {"one": {"accounts": ("default",), "age_ms": SILENT_MS + 5000}},
        {"one": {"accounts": ("default",)}, "two": {"accounts": ("brand_b",), "age_ms": 30_000}},
        {
            "one": {"accounts": ("default",)},
            "old": {"accounts": ()},
        },  # an older worker, which says nothing of accounts
    ],
)
def test_while_nothing_is_known_all_is_accepted(
    link: RedisClient, other: WorkLedger, living: dict[str, dict[str, object]]
) -> None:
    for token, facts in living.items():
        worker(link, token, *facts["accounts"], age_ms=facts.get("age_ms", 0))  # type: ignore[misc, arg-type]
    watch = KeyWatch()
    for _ in range(3):
        watch.look(link)
    assert accept(other, "after") == ["new"]


def test_status_and_doctor_say_so(link: RedisClient, other: WorkLedger, redis_url: str) -> None:
    worker(link, "one", "default")
    watch = KeyWatch()
    watch.look(link)
    accept(other, "waits")
    watch.look(link)
    clean = {name: None for name in os.environ if name.startswith(("INTERAKT_", "SENTRY_"))}
    shown = CliRunner().invoke(main, ["status"], env={**clean, "REDIS_URL": redis_url}).output
    assert "NO KEY" in shown and "1 jobs wait" in " ".join(shown.split())
    environ = {
        "REDIS_URL": redis_url,
        "INTERAKT_API_KEY": "c2VjcmV0OmtleQ==",
        "INTERAKT_BASE_URL": "http://127.0.0.1:1/",
    }
    (row,) = [check for check in examine(environ) if check.name == "account brand_b"]
    assert (row.mark, row.found) == ("failure", "no worker has its key, and 1 jobs wait for it")
    assert "INTERAKT_API_KEY__BRAND_B" in row.mend
    other.cancel("waits")
    (row,) = [check for check in examine(environ) if check.name == "account brand_b"]
    assert row.mark == "ok", "one that was given up on purpose is nobody's failure"
