"""The doctor, on a real Redis and the sandbox."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
import redis

from interakt_jobs.ledger.redis_client import Link
from worker.doctor import Check, examine
from worker.schedules.definition import read
from worker.schedules.store import INDEX, LOCK, PREFIX, Schedules

KEY = "c2VjcmV0LXRva2VuOg=="


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--key", KEY]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"http://[\d.:]+", process.stdout.readline())
        assert found
        yield f"{found[0]}/v1/public/"
        process.terminate()


@pytest.fixture
def healthy(redis_url: str, sandbox: str) -> Iterator[dict[str, str]]:
    link = redis.Redis.from_url(redis_url)
    before = link.config_get("appendonly", "maxmemory", "maxmemory-policy")
    link.config_set("appendonly", "yes", "maxmemory", "100mb", "maxmemory-policy", "noeviction")
    yield {"REDIS_URL": redis_url, "INTERAKT_API_KEY": KEY, "INTERAKT_BASE_URL": sandbox}
    for name, value in before.items():
        link.config_set(name, value)


def marks(environ: dict[str, str]) -> dict[str, Check]:
    return {check.name: check for check in examine(environ)}


def test_all_is_well(healthy: dict[str, str]) -> None:
    found = marks(healthy)
    assert {check.mark for check in found.values()} == {"ok"}
    assert set(found) >= {
        "settings",
        "redis",
        "redis persistence",
        "redis eviction",
        "redis memory",
        "account default",
    }


def test_each_fault_of_redis_is_told_with_what_to_mend(healthy: dict[str, str]) -> None:
    link = redis.Redis.from_url(healthy["REDIS_URL"])
    link.config_set("appendonly", "no", "maxmemory", "0", "maxmemory-policy", "allkeys-lru")
    found = marks(healthy)
    assert (found["redis persistence"].mark, found["redis eviction"].mark) == ("failure", "failure")
    assert "appendonly yes" in found["redis persistence"].mend
    assert "noeviction" in found["redis eviction"].mend
    assert found["redis memory"].mark == "warning"


def test_a_redis_that_is_not_there_is_told_in_words(healthy: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    found = marks({**healthy, "REDIS_URL": f"redis://:hunter22@127.0.0.1:{port}/0"})
    assert found["redis"].mark == "failure"
    assert "hunter22" not in str(found)
    assert found["account default"].mark == "ok"


def test_a_database_that_redis_does_not_have_is_told(healthy: dict[str, str]) -> None:
    found = marks({**healthy, "REDIS_URL": healthy["REDIS_URL"].rpartition("/")[0] + "/99"})
    assert (found["redis"].mark, found["account default"].mark) == ("failure", "ok")
    assert "schedules" not in found


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"INTERAKT_API_KEY": "d3Jvbmcta2V5Og=="}, "Secret Key of Developer Settings"),
        ({"INTERAKT_BASE_URL": "{origin}/elsewhere/"}, "mend INTERAKT_BASE_URL"),
        ({"INTERAKT_BASE_URL": "http://127.0.0.1:1/"}, "network"),
    ],
)
def test_each_fault_of_a_key_is_told_with_what_to_mend(
    healthy: dict[str, str], change: dict[str, str], words: str
) -> None:
    origin = healthy["INTERAKT_BASE_URL"].removesuffix("/v1/public/")
    found = marks({**healthy, **{name: value.format(origin=origin) for name, value in change.items()}})[
        "account default"
    ]
    assert found.mark == "failure"
    assert words in found.mend


def test_every_call_takes_a_permit(healthy: dict[str, str]) -> None:
    environ = {**healthy, "INTERAKT_API_KEY__BRAND_B": "b3RoZXIta2V5Og=="}
    asked: list[str] = []
    list(examine(environ, asked.append))
    assert asked == ["default", "brand_b"]

    def refuse(account: str) -> None:
        raise TimeoutError("no permit within a second")

    found = [check for check in examine(healthy, refuse) if check.name == "account default"]
    assert found[0].mark == "warning"
    assert "no permit" in found[0].found


def test_schedules_that_no_beat_looks_after_are_told(healthy: dict[str, str], link: Link) -> None:
    schedules = Schedules(link)
    payload = {"countryCode": "+91", "phoneNumber": "9999999999", "event": "Hello"}
    schedules.add(read("weekly", {"every": "7d", "run": "track_event", "payload": payload}))
    schedules.link.command("SET", LOCK, "a beat")
    assert marks(healthy)["schedules"] == Check("schedules", "ok", "1, a beat is active")
    schedules.link.command("DEL", LOCK)
    assert marks(healthy)["schedules"].mark == "warning"
    schedules.link.command("ZADD", INDEX, schedules.now() - 100, f"{PREFIX}weekly")
    found = marks(healthy)["schedules"]
    assert (found.mark, found.mend) == ("failure", "start beat, as the Procfile has it")
    assert re.fullmatch(r"1, and no beat is active, 10\d s behind", found.found)
    schedules.link.command("HSET", f"{PREFIX}weekly", "error", "its file is not there")
    found = marks(healthy)["schedule weekly"]
    assert (found.mark, found.found) == ("warning", "its file is not there")


def run(environ: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "worker", "doctor", *options]
    return subprocess.run(
        command, env={"PATH": "/usr/bin:/bin", **environ}, capture_output=True, text=True, check=False
    )


def test_the_command_prints_a_table_and_its_exit_code_says_whether_something_fails(
    healthy: dict[str, str],
) -> None:
    done = run(healthy)
    assert done.returncode == 0, done.stderr
    assert "append-only file" in done.stdout
    done = run({"INTERAKT_BASE_URL": "nonsense"}, "--json")
    assert done.returncode == 1
    assert [check["name"] for check in json.loads(done.stdout)] == ["INTERAKT_API_KEY", "INTERAKT_BASE_URL"]
    assert "Traceback" not in done.stderr
