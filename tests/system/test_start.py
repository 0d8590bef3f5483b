"""What a worker says when it cannot start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from interakt_jobs import configure, send_text
from sandbox.stack import ROOT, Stack

TEXT: Any = {"countryCode": "+91", "phoneNumber": "9999999999", "type": "Text", "data": {"message": "hello"}}
KEY = {"INTERAKT_API_KEY": "c2FuZGJveDo=", "REDIS_URL": "redis://127.0.0.1:1/0"}


CELERY = ("celery", "-A", "worker.app")


def start(*options: str, process: tuple[str, ...] = (*CELERY, "worker", "-Q", "bulk"), **env: str) -> str:
    command = [sys.executable, "-m", *process, *options]
    done = subprocess.run(
        command, cwd=ROOT, env={"PATH": "/usr/bin:/bin", **env}, capture_output=True, text=True, timeout=300
    )
    assert done.returncode != 0
    return done.stdout + done.stderr


def test_all_mistakes_of_the_settings_are_told_together() -> None:
    text = start("--pool", "threads", INTERAKT_CALLS_PER_MINUTE="many", REDIS_URL="http://x")
    for name in ("INTERAKT_API_KEY", "INTERAKT_CALLS_PER_MINUTE", "REDIS_URL"):
        assert name in text
    assert "Traceback" not in text


def test_what_can_never_work_is_told_before_the_worker_starts(tmp_path: Path) -> None:
    broken = {**KEY, "INTERAKT_API_KEY": "two words", "INTERAKT_CAMPAIGN_DIR": str(tmp_path / "nowhere")}
    text = start(process=("worker", "run"), **broken)
    assert "2 settings to fix" in text
    assert "INTERAKT_API_KEY: " in text and "INTERAKT_CAMPAIGN_DIR: " in text
    assert "Traceback" not in text and "two words" not in text


@pytest.mark.parametrize("pool", ["gevent", "eventlet"])
def test_a_pool_that_cannot_bound_a_call_is_refused_with_the_reason(pool: str) -> None:
    text = start("--pool", pool, **KEY)
    assert "--pool threads" in text or "No module named" in text


@pytest.mark.parametrize("url", ["redis://127.0.0.1:port", "http://x", "redis://127.0.0.1:1/first"])
def test_beat_tells_what_is_wrong_with_its_settings(url: str) -> None:
    beat = (*CELERY, "beat", "--scheduler", "worker.beat.Scheduler", "--pidfile=")
    text = start(process=beat, REDIS_URL=url, INTERAKT_CALLS_PER_MINUTE="many")
    assert "2 settings to fix" in text
    assert "REDIS_URL" in text and "INTERAKT_CALLS_PER_MINUTE" in text
    assert "Traceback" not in text


@pytest.mark.parametrize(("pool", "children"), [("threads", 0), ("prefork", 2), ("solo", 0)])
def test_run_starts_a_worker_with_the_pool_that_was_asked_for(pool: str, children: int) -> None:
    with Stack(calls_per_minute=600) as stack:
        process = stack.worker(pool=pool, concurrency=2)
        stack.wait_for_workers(1)
        configure(stack.valkey.url)
        try:
            assert send_text.delay(TEXT).get(timeout=60)["id"]
        finally:
            configure(None)
        found = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert len(found) == children
        process.terminate()
        assert process.wait(20) == 0


def test_run_refuses_a_queue_that_nobody_fills() -> None:
    text = start(process=("worker", "run", "-Q", "bulk,blk"), **KEY)
    assert "unknown blk; known: urgent, normal, bulk, intake" in text
    assert "Traceback" not in text
