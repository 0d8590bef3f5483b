"""Celery's own commands: none shows Redis's password, none reaches a worker."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from interakt_jobs.ledger.redis_client import RedisClient
from sandbox.stack import ROOT, Stack

PASSWORD = "hunter22"
KEY = "c2FuZGJveDo="


def celery(url: str, *words: str) -> str:
    command = [sys.executable, "-m", "celery", "-A", "worker.app", *words]
    environment = {"PATH": os.environ["PATH"], "REDIS_URL": url, "INTERAKT_API_KEY": KEY}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    "url",
    [
        f"redis://op_user:{PASSWORD}@127.0.0.1:1/0",
        f"rediss://:{PASSWORD}@127.0.0.1:1/0?ssl_cert_reqs=CERT_REQUIRED",
        f"redis+socket://u:{PASSWORD}@/nowhere/s",
    ],
)
@pytest.mark.parametrize("words", ["report", "inspect conf -t 1", "status -t 1", "list bindings", "purge -f"])
def test_no_command_shows_the_password(url: str, words: str) -> None:
    told = celery(url, *words.split())
    assert PASSWORD not in told
    assert KEY not in told
    assert words != "report" or "broker_url" in told


def test_a_running_worker_cannot_be_told_to_end_through_redis() -> None:
    with Stack(calls_per_minute=600) as stack:
        process = stack.worker()
        stack.wait_for_workers(1)
        celery(stack.valkey.url, "control", "-t", "1", "shutdown")
        assert "No nodes replied" in celery(stack.valkey.url, "inspect", "-t", "1", "ping")
        assert process.poll() is None
        link = RedisClient(stack.valkey.url)
        assert not link.command("PUBSUB", "CHANNELS", "*pidbox*")
        assert not link.command("KEYS", "*pidbox*")
