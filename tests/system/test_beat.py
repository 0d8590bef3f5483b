"""Beat waits where redbeat would end: Redis away, the lock taken by another."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as AwayError

from interakt_jobs.ledger.keys import BEAT
from sandbox.stack import ROOT
from sandbox.valkey import Valkey
from tests.waiting import until

LOCK = f"{BEAT}:lock"


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    with Valkey(directory=str(tmp_path)) as server:
        yield server


@pytest.fixture
def beat(valkey: Valkey, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        "PATH": os.environ["PATH"],
        "REDIS_URL": valkey.url,
        "INTERAKT_API_KEY": "c2FuZGJveC10b2tlbjo=",
    }
    (words,) = re.findall(r"^beat: python (.*)$", (ROOT / "Procfile").read_text(), re.MULTILINE)
    with (tmp_path / "beat.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *words.split()], cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    yield process
    process.terminate()
    text = (tmp_path / "beat.log").read_text()
    assert process.wait(60) == 0, text
    assert all(json.loads(line)["action"] for line in text.splitlines()), "beat logs JSON, and nothing else"


def owner(client: Redis) -> bytes | None:
    try:
        return client.get(LOCK)  # type: ignore[return-value]
    except AwayError:
        return None


def test_beat_goes_on_after_redis_was_away(
    valkey: Valkey, beat: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    client = Redis.from_url(valkey.url)
    until(lambda: owner(client))
    valkey.stop()
    time.sleep(7)  # longer than a tick
    assert beat.poll() is None
    valkey.start()
    client.delete(LOCK)
    until(lambda: owner(client))
    assert beat.poll() is None
    log = tmp_path / "beat.log"
    until(lambda: all(f'"action": "{name}"' in log.read_text() for name in ("beat_waits", "beat_goes_on")))


def test_beat_stands_by_while_another_is_active_and_takes_over_when_it_is_gone(
    valkey: Valkey, beat: subprocess.Popen[bytes]
) -> None:
    client = Redis.from_url(valkey.url)
    until(lambda: owner(client))
    client.set(LOCK, "another")
    time.sleep(6)  # longer than a tick
    assert owner(client) == b"another"
    client.delete(LOCK)
    until(lambda: owner(client) not in (None, b"another"))
    assert beat.poll() is None
