"""What a job costs in calls: Redis, HTTP and Celery messages, against the numbers in ``tests/data/calls_per_job.toml``.

No clock decides: calls are counted on a private server, and what a process does by the clock is listed there too.
"""

from __future__ import annotations

import re
import socket
import sys
import threading
import time
import tomllib
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

import worker.process
from interakt_jobs import Job, configure, run_campaign, send_text
from interakt_jobs.ledger.keys import prefix
from interakt_jobs.ledger.scripts import Script
from sandbox.stack import Stack
from tests.waiting import until

TABLE = tomllib.loads((Path(__file__).parents[1] / "data" / "calls_per_job.toml").read_text())
IDLE = {entry["call"]: entry for entry in TABLE["idle"]["redis"]}
OWN = {
    "ECHO",
    "GETRANGE",
    "HLEN",
    "CLIENT",
    "HELLO",
    "PING",
    "MONITOR",
}  # this file's, and of new connections
SLACK, COMMANDS_SLACK = 0.03, 0.6
JOBS = {"single": 100, "bulk": 1000, "retry": 15, "campaign": 1000}
TEXT: Any = {"countryCode": "+91", "phoneNumber": "9999999999", "type": "Text", "data": {"message": "hello"}}
CAMPAIGN = {
    "name": "Diwali",
    "template": {"name": "diwali_offer", "language": "en", "body": ["{name}"]},
}
_LINE = re.compile(rb'\+\d+\.\d+ \[\d+ (lua|[^\]]+)\] "([^"]*)"(?: "([^"]*)")?')
assert worker.process  # imported for its scripts


class Watch:
    """Counts what clients ask of a server while it is open, by script or command, and the commands of each script."""

    def __init__(self, port: int) -> None:
        self.calls: Counter[str] = Counter()
        self.inner: Counter[str] = Counter()
        self.seconds = 0.0
        self._names = {
            script.sha: script.name
            for module in list(sys.modules.values())
            for script in list(vars(module).values())
            if isinstance(script, Script)
        }
        self._port, self._end = port, uuid.uuid4().hex

    def __enter__(self) -> Watch:
        self._socket = socket.create_connection(("127.0.0.1", self._port), 30)
        self._socket.sendall(b"MONITOR\r\n")
        self._lines = self._socket.makefile("rb")
        assert self._lines.readline() == b"+OK\r\n"
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        self._began = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.monotonic() - self._began
        with Redis(port=self._port) as client:
            client.echo(self._end)
        self._thread.join(30)
        self._socket.close()

    def _read(self) -> None:
        script = ""
        for line in self._lines:
            if self._end.encode() in line:
                return
            found = _LINE.match(line)
            assert found, line[:200]
            who, command, first = found[1], found[2].decode().upper(), (found[3] or b"").decode()
            if who == b"lua":
                self.inner[script] += 1
                continue
            script = self._names.get(first, "kombu") if command in ("EVALSHA", "EVAL") else ""
            self.calls[script or command] += 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where campaigns are read from."""
    return tmp_path_factory.mktemp("campaigns")


@pytest.fixture(scope="module")
def stack(folder: Path) -> Iterator[Stack]:
    """One worker and one bulk worker, each of which has handled a job before anything is counted."""
    env = {
        "INTERAKT_CALLS_PER_MINUTE": "1000000",
        "INTERAKT_RETRY_BASE_SECONDS": "0.05",
        "INTERAKT_CAMPAIGN_DIR": str(folder),
    }
    with Stack(calls_per_minute=0, env=env, relaxed=True, permissive=True) as running:
        running.worker(concurrency=4)
        running.bulk(concurrency=4)
        running.wait_for_workers(2)
        configure(running.valkey.url)
        for job in (send_text.delay(TEXT), send_text.delay(TEXT, lane="bulk")):
            job.get(timeout=60)
        yield running
        configure(None)


@pytest.fixture
def redis(stack: Stack) -> Iterator[Redis]:
    """For looking with commands that are not counted: ``OWN``."""
    stack.sandbox.reset()
    with Redis.from_url(stack.valkey.url) as client:
        client.ping()
        yield client


def ended(redis: Redis, job: Job) -> bool:
    return redis.getrange(f"{prefix('default')}j:{job.job_key}", 0, 0) == b"="


def compare(scenario: str, seen: Watch, stack: Stack, jobs: int) -> None:
    """Raise with the difference between what was seen and what the table says."""
    wanted = TABLE[scenario]
    arrivals = len(stack.sandbox.arrivals())
    assert arrivals == wanted["http"] * jobs + wanted.get("http_besides", 0), (
        f"{arrivals} HTTP calls for {jobs} jobs"
    )
    expected = {entry["call"]: entry for entry in wanted["redis"]}
    # what kombu and new connections do now and then is far from once a job
    unknown = {
        name
        for name in seen.calls.keys() - expected.keys() - IDLE.keys() - OWN
        if seen.calls[name] * 2 > jobs
    }
    assert not unknown, f"calls that no table knows: {unknown}"
    assert seen.calls["LPUSH"] <= wanted["celery_messages"] * jobs * (1 + SLACK)
    for name, entry in expected.items():
        by_clock = IDLE[name]["most_per_second"] * (seen.seconds + 2) if name in IDLE else 0.0
        count, most = seen.calls[name], entry["times"] * jobs * (1 + SLACK) + by_clock
        least = 0.0 if entry.get("at_most") else entry["times"] * jobs * (1 - SLACK)
        assert least <= count <= most, f"{name}: {count} calls, {least:.0f} to {most:.0f} expected"
        if "commands" in entry:
            inner = seen.inner[name] / max(1, count)
            assert abs(inner - entry["commands"]) <= COMMANDS_SLACK, f"{name}: {inner:.2f} commands a call"


def test_a_single_job(stack: Stack, redis: Redis) -> None:
    with Watch(stack.valkey.port) as seen:
        for _ in range(JOBS["single"]):
            job = send_text.delay(TEXT)
            until(lambda job=job: ended(redis, job))  # type: ignore[misc]
    compare("single", seen, stack, JOBS["single"])


def test_a_job_that_is_sent_again_after_a_refused_try(stack: Stack, redis: Redis) -> None:
    with Watch(stack.valkey.port) as seen:
        for _ in range(JOBS["retry"]):
            stack.sandbox.faults(share_503=1, times=1)
            job = send_text.delay(TEXT)
            until(lambda job=job: ended(redis, job))  # type: ignore[misc]
    stack.sandbox.faults()
    compare("retry", seen, stack, JOBS["retry"])


def test_bulk(stack: Stack, redis: Redis) -> None:
    with Watch(stack.valkey.port) as seen:
        payloads = (TEXT for _ in range(JOBS["bulk"]))
        last = [found.job for found in send_text.delay_many(payloads)][-1]
        assert last is not None
        until(lambda: ended(redis, last) and not redis.hlen(f"{prefix('default')}fl"))
    compare("bulk", seen, stack, JOBS["bulk"])


def test_a_campaign(stack: Stack, redis: Redis, folder: Path) -> None:
    rows = "".join(f"+9199999{at:05d},N{at}\n" for at in range(JOBS["campaign"]))
    (folder / "people.csv").write_text(f"phone,name\n{rows}")
    payload: Any = {"definition": CAMPAIGN, "recipients": "people.csv"}
    with Watch(stack.valkey.port) as seen:
        run_campaign.delay(payload)
        until(
            lambda: (
                len(stack.sandbox.arrivals()) >= JOBS["campaign"] and not redis.hlen(f"{prefix('default')}fl")
            )
        )
    compare("campaign", seen, stack, JOBS["campaign"])


def test_an_idle_worker(stack: Stack) -> None:
    with Watch(stack.valkey.port) as seen:
        time.sleep(4)
    unknown = {name for name in seen.calls.keys() - IDLE.keys() - OWN if seen.calls[name] > 3}
    assert not unknown, f"calls that no table knows: {unknown}"
    for name, entry in IDLE.items():
        most = entry["most_per_second"] * (seen.seconds + 1) + 1
        assert seen.calls[name] <= most, f"{name}: {seen.calls[name]} calls in {seen.seconds:.1f} s"
    assert sum(seen.calls.values()) / seen.seconds / 2 < TABLE["idle"]["most_per_process_and_second"]


@pytest.mark.parametrize("scenario", sorted(TABLE))
def test_the_page_says_what_each_call_is_for(scenario: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "performance.md").read_text()
    for entry in TABLE[scenario]["redis"]:
        prefix = "up to " if entry.get("at_most") or scenario == "idle" else ""
        number = f"{prefix}{entry.get('times', entry.get('most_per_second')):g}"
        commands = "" if scenario == "idle" else f" {entry.get('commands', '')} |"
        assert f"| {entry['call']} | {number} |{commands} {entry['why']} |" in page
