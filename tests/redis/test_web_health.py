"""``python -m worker health``: what a container probe is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from interakt_jobs.ledger.redis_client import Link
from sandbox.stack import ROOT
from sandbox.valkey import free_port
from worker.cli.health import verdict
from worker.dispatch.heartbeat import BEAT, NEWEST, WORKERS


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
    ],
)
def test_a_host_lives_when_one_of_its_workers_was_heard_of(
    workers: list[dict[str, Any]], queue: str, alive: bool
) -> None:
    assert verdict(workers, "here", queue, 60_000)[0] is alive


def probe(url: str, *options: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "worker", "health", "--host", "here", *options],
        cwd=ROOT, env={"PATH": os.environ["PATH"], "REDIS_URL": url}, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def test_the_exit_code_says_whether_the_worker_lives(link: Link, redis_url: str) -> None:
    code, text = probe(redis_url)
    assert code == 1 and "no worker on here" in text
    entry = {"pid": 7, "host": "here", "queues": ["bulk"], "slots": 1, "want": 1}
    link.run(BEAT, [WORKERS, NEWEST], "token", json.dumps(entry)[1:], "1")
    code, text = probe(redis_url, "--queue", "bulk", "--json")
    assert code == 0 and json.loads(text)["alive"] is True


def test_with_redis_away_a_restart_is_not_asked_for() -> None:
    code, text = probe(f"redis://127.0.0.1:{free_port()}/0")
    assert code == 0 and "cannot tell" in text
