"""``python -m worker health``: what a container probe is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from interakt_jobs.ledger.redis_client import RedisClient
from sandbox.stack import ROOT
from sandbox.valkey import Valkey, free_port
from tests.troubles import TROUBLES
from worker.cli.health import verdict
from worker.dispatch.heartbeat import BEAT, NEWEST, WORKERS
from worker.ledger.standstill import standing
from worker.ledger.work_ledger import WorkLedger


def worker(age_ms: int, host: str = "here", **more: Any) -> dict[str, Any]:
    return {"host": host, "pid": 7, "queues": ["urgent", "normal"], "age_ms": age_ms, **more}


@pytest.mark.parametrize(
    ("workers", "queue", "alive"),
    [
        ([worker(100)], "", True),
        ([worker(100)], "normal", True),
        ([worker(100)], "bulk", False),
        ([worker(100, "elsewhere")], "", False),
        ([], "", False),
        ([worker(61_000)], "", False),
        ([worker(61_000), worker(100)], "", True),
        ([worker(100, loop_ms=61_000)], "", False),
        ([worker(100, loop_ms=2_000)], "", True),
        ([worker(100, still_ms={"dispatcher": 61_000, "webhooks": 5})], "", False),
        ([worker(100, still_ms={"dispatcher": 1_000, "webhooks": 5})], "", True),
        ([worker(100, accounts=["stuck"], up_ms=61_000)], "", False),
        ([worker(100, accounts=["stuck"], up_ms=59_000)], "", True),
        ([worker(100, accounts=["fine"], up_ms=61_000)], "", True),
        ([worker(100, accounts=["fine", "elsewhere"], up_ms=61_000)], "", True),
    ],
)
def test_a_host_lives_when_one_of_its_workers_was_heard_of(
    workers: list[dict[str, Any]], queue: str, alive: bool
) -> None:
    lanes = {"stuck": ["normal"], "elsewhere": ["bulk"]}
    assert verdict(workers, "here", queue, 60_000, lambda account: lanes.get(account, []))[0] is alive


def probe(url: str, *options: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "worker", "health", "--host", "here", *options],
        cwd=ROOT, env={"PATH": os.environ["PATH"], "REDIS_URL": url}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def test_the_exit_code_says_whether_the_worker_lives(link: RedisClient, redis_url: str) -> None:
    code, text = probe(redis_url)
    assert code == 1 and "no worker on here" in text
    entry = {"pid": 7, "host": "here", "queues": ["bulk"], "slots": 1, "want": 1}
    link.run(BEAT, [WORKERS, NEWEST], "token", json.dumps(entry)[1:], "1")
    code, text = probe(redis_url, "--queue", "bulk", "--json")
    assert code == 0 and json.loads(text)["alive"] is True


def test_a_lane_with_due_work_that_might_go_stands_still(
    ledger: WorkLedger, accept: Callable[..., str]
) -> None:
    def still() -> list[str]:
        return standing(ledger.link, "default", 60_000)

    def age(name: str, job_key: str) -> None:
        ledger.link.command("ZADD", f"{ledger.prefix}{name}", 1000, job_key)

    job_key = accept(lane="bulk")
    assert still() == []
    age("ready:bulk", job_key)
    age("ready:urgent", accept(lane="urgent"))
    assert still() == ["urgent", "bulk"]
    for changes in ({"paused_until": 10**15}, {"breaker": "open"}):
        flat = [part for pair in changes.items() for part in pair]
        ledger.link.command("HSET", f"{ledger.prefix}state", *flat)
        assert still() == []
        ledger.link.command("HDEL", f"{ledger.prefix}state", *changes)
    ledger.link.command("HSET", f"{ledger.prefix}state", "lost_at", 1)
    assert still() == ["urgent"]
    age("run:urgent", "another")
    assert still() == []


def test_a_lane_that_has_just_had_a_permit_does_not_stand_still(
    ledger: WorkLedger, accept: Callable[..., str]
) -> None:
    job_keys = [accept(), accept()]
    (work,) = ledger.claim("t", ledger.release("dispatcher", {"normal": 1}).job_keys["normal"])
    assert ledger.start(work.job_key, work.fence).word == "go"
    ledger.step(work, ("done", "", 200, "", 60, "0", ""))
    ledger.link.command("ZADD", f"{ledger.prefix}ready:normal", 1000, job_keys[1])
    assert standing(ledger.link, "default", 60_000) == []


@pytest.mark.parametrize("name", ["READONLY", "BUSY"])
def test_where_nothing_can_be_written_a_restart_is_not_asked_for(tmp_path: Path, name: str) -> None:
    with Valkey(directory=str(tmp_path)) as server:
        RedisClient(server.url).run(
            BEAT, [WORKERS, NEWEST], "token", '"host":"here","pid":7,"queues":[]}', "0"
        )
        with TROUBLES[name](server):
            code, text = probe(server.url)
            assert code == 0 and "cannot tell: Redis is" in text


def test_with_redis_away_a_restart_is_not_asked_for() -> None:
    code, text = probe(f"redis://127.0.0.1:{free_port()}/0")
    assert code == 0 and "cannot tell" in text
