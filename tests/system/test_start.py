"""What a worker says when it cannot start."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sandbox.stack import ROOT

KEY = {"INTERAKT_API_KEY": "c2FuZGJveDo=", "REDIS_URL": "redis://127.0.0.1:1/0"}


def start(*options: str, process: tuple[str, ...] = ("worker", "-Q", "bulk"), **env: str) -> str:
    command = [sys.executable, "-m", "celery", "-A", "worker.app", *process, *options]
    done = subprocess.run(
        command, cwd=ROOT, env={"PATH": "/usr/bin:/bin", **env}, capture_output=True, text=True, timeout=30
    )
    assert done.returncode != 0
    return done.stdout + done.stderr


def test_all_mistakes_of_the_settings_are_told_together() -> None:
    text = start("--pool", "threads", INTERAKT_CALLS_PER_MINUTE="many", REDIS_URL="http://x")
    for name in ("INTERAKT_API_KEY", "INTERAKT_CALLS_PER_MINUTE", "REDIS_URL"):
        assert name in text
    assert "Traceback" not in text


@pytest.mark.parametrize("pool", ["gevent", "eventlet"])
def test_a_pool_that_cannot_bound_a_call_is_refused_with_the_reason(pool: str) -> None:
    text = start("--pool", pool, **KEY)
    assert "--pool threads" in text or "No module named" in text


@pytest.mark.parametrize("url", ["redis://127.0.0.1:port", "http://x", "redis://127.0.0.1:1/first"])
def test_beat_tells_what_is_wrong_with_its_settings(url: str) -> None:
    beat = ("beat", "--scheduler", "worker.beat.Scheduler", "--pidfile=")
    text = start(process=beat, REDIS_URL=url, INTERAKT_CALLS_PER_MINUTE="many")
    assert "2 settings to mend" in text
    assert "REDIS_URL" in text and "INTERAKT_CALLS_PER_MINUTE" in text
    assert "Traceback" not in text
