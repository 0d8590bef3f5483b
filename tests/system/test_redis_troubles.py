"""Redis answers with errors for a while: no process ends, all say why they wait, and go on by themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from redis.exceptions import ResponseError

import interakt_jobs
from interakt_jobs import send_text
from interakt_jobs.ledger.keys import WORKERS, prefix
from interakt_jobs.ledger.redis_client import RedisClient
from interakt_jobs.ledger.redis_errors import explain
from sandbox.stack import Stack
from sandbox.valkey import Valkey
from tests.troubles import TROUBLES, Switch, admin
from tests.waiting import until
from worker.schedules.definition import read
from worker.schedules.store import Schedules

from .conftest import QUICK

TEXT: Any = {"countryCode": "+91", "phoneNumber": "9999999999", "type": "Text", "data": {"message": "hello"}}
PULSE = {"every": "2s", "run": "send_text", "payload": TEXT}


@pytest.fixture(scope="module")
def running() -> Iterator[Stack]:
    with Stack(calls_per_minute=0, env={**QUICK, "INTERAKT_CALLS_PER_MINUTE": "60000"}) as stack:
        stack.worker(queues="urgent,normal,bulk,intake")
        stack.worker("prefork", queues="urgent,normal,bulk,intake", pool="prefork", concurrency=2)
        stack.beat()
        stack.wait_for_workers(2, 60)
        interakt_jobs.configure(stack.valkey.url)
        Schedules(RedisClient(stack.valkey.url)).add(read("pulse", PULSE))
        yield stack
        interakt_jobs.configure(None)


def refused(link: RedisClient) -> int:
    """Errors that Redis has answered with."""
    return int(re.findall(rb"total_error_replies:(\d+)", link.command("INFO", "stats"))[0])


def goes_on(stack: Stack, link: RedisClient) -> None:
    """All processes live, a job of each lane is sent, and beat makes jobs."""
    schedules = Schedules(link)
    runs = schedules.get("pulse").runs
    for lane in ("urgent", "normal", "bulk"):
        send_text.delay(TEXT, lane=lane).get(timeout=60)
    until(lambda: schedules.get("pulse").runs > runs, 60)
    ended = {name: each.poll() for name, each in stack.processes.items() if each.poll() is not None}
    assert not ended, "\n".join(map(stack.job_key, ended))


@pytest.mark.parametrize("name", TROUBLES)
def test_every_process_waits_and_goes_on(running: Stack, name: str) -> None:
    link = RedisClient(running.valkey.url)
    goes_on(running, link)
    told = [explain(ResponseError(f"{word} and more")).found for word in (name, "READONLY")]
    before = refused(link)
    with TROUBLES[name](running.valkey):
        for process in running.processes:
            until(lambda process=process: any(words in running.tail(process, 10**6) for words in told), 60)
        until(lambda: name == "BUSY" or refused(link) > before + 40, 60)
    goes_on(running, link)


def test_a_worker_starts_while_redis_takes_no_writes(running: Stack) -> None:
    with TROUBLES["NOREPLICAS"](running.valkey):
        late = running.worker("late")
        until(lambda: explain(ResponseError("NOREPLICAS")).found in running.tail("late", 10**6), 60)
        assert late.poll() is None
    until(
        lambda: (
            f'"pid":{late.pid},'.encode()
            in b"".join(RedisClient(running.valkey.url).command("HVALS", WORKERS))
        ),
        60,
    )
    running.end("late")


def test_after_a_failover_all_are_at_the_new_primary() -> None:
    with Valkey() as second:
        stack = Stack(calls_per_minute=0, env={**QUICK, "INTERAKT_CALLS_PER_MINUTE": "60000"})
        with stack:
            switch = Switch(stack.valkey.port)
            stack.extra["REDIS_URL"] = switch.url
            stack.worker(queues="urgent,normal,bulk,intake")
            stack.beat()
            stack.wait_for_workers(1, 60)
            interakt_jobs.configure(switch.url)
            link = RedisClient(switch.url)
            Schedules(link).add(read("pulse", PULSE))
            goes_on(stack, link)
            with admin(stack.valkey) as old, admin(second) as new:
                new.execute_command("REPLICAOF", "127.0.0.1", stack.valkey.port)
                until(lambda: new.info("replication").get("master_sync_in_progress") == 0)
                until(lambda: new.exists(f"{prefix('default')}state"))
                new.execute_command("REPLICAOF", "NO", "ONE")
                old.execute_command("REPLICAOF", "127.0.0.1", second.port)
            switch.target = second.port
            until(lambda: delivered(), 60)
            goes_on(stack, link)
            switch.close()
    interakt_jobs.configure(None)


def delivered() -> bool:
    """Whether a producer has found the new primary."""
    try:
        send_text.delay(TEXT)
    except interakt_jobs.LedgerUnreachable:
        return False
    return True
