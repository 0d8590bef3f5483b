"""The doctor, on a real Redis and the sandbox."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from interakt_jobs.ledger.keys import prefix
from interakt_jobs.ledger.redis_client import RedisClient
from worker.checks.redis_rights import commands
from worker.doctor import Check, examine
from worker.ledger.accounts import set_rate
from worker.ledger.work_ledger import WorkLedger
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
    yield {
        "REDIS_URL": redis_url,
        "INTERAKT_API_KEY": KEY,
        "INTERAKT_BASE_URL": sandbox,
        "INTERAKT_WEBHOOK_SECRET": "sandbox-webhook-secret",
    }
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
        "redis rights",
        "account default",
        "webhooks default",
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


def test_schedules_that_no_beat_looks_after_are_told(healthy: dict[str, str], link: RedisClient) -> None:
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


@pytest.fixture
def user(healthy: dict[str, str]) -> Iterator[Callable[[str], dict[str, str]]]:
    """The environment of a Redis user with these rights."""
    admin = redis.Redis.from_url(healthy["REDIS_URL"])

    def make(rules: str) -> dict[str, str]:
        admin.execute_command("ACL", "SETUSER", "app", "reset", "on", ">pw-of-app", *rules.split())
        return {**healthy, "REDIS_URL": healthy["REDIS_URL"].replace("//", "//app:pw-of-app@")}

    yield make
    admin.execute_command("ACL", "DELUSER", "app")


@pytest.mark.parametrize(
    ("rules", "lacking"),
    [
        ("~{ij1* &{ij1* +@all", ""),
        ("~{ij1* &{ij1* +@all -@dangerous +info", ""),
        ("~{ij1* &{ij1* +@all -eval", "+eval"),
        ("~{ij1* &{ij1* +@all -@scripting", "+eval +evalsha +script|load"),
        ("~{ij1* &{ij1* +@all -subscribe", "+subscribe"),
        ("~{ij1* &{ij1* +@all -exec", "+exec"),
        ("~{ij1* &{ij1* +@all -multi", "+multi"),
        ("~{ij1* &{ij1* +@all -@blocking", "+blpop +brpop +xreadgroup"),
        ("~" + prefix("default") + "* &{ij1* +@all", "~{ij1*"),
        ("%R~{ij1* &{ij1* +@all", "~{ij1*"),
        ("~{ij1* &other:* +@all", "&{ij1*"),
        ("~{ij1* resetchannels +@all", "&{ij1*"),
    ],
)
def test_a_right_that_is_missing_is_named(
    user: Callable[[str], dict[str, str]], rules: str, lacking: str
) -> None:
    environ = user(rules)
    before = redis.Redis.from_url(environ["REDIS_URL"].replace("app:pw-of-app@", "")).dbsize()
    found = marks(environ)["redis rights"]
    assert found.mark == ("failure" if lacking else "ok")
    assert f"lacks {lacking}:" in found.found or not lacking
    assert f"<name> {lacking} " in found.mend or not lacking
    after = redis.Redis.from_url(environ["REDIS_URL"].replace("app:pw-of-app@", "")).dbsize()
    assert after == before, "looking changes nothing"


def test_every_command_that_is_used_is_among_the_rights() -> None:
    """Whatever a script or a module calls; what is only asked for with permission to fail is left out."""
    root = Path(__file__).resolve().parents[2]
    used: set[str] = set()
    for folder in ("worker", "interakt_jobs"):
        for file in (root / folder).rglob("*.lua"):
            used |= set(re.findall(r"redis\.p?call\('([A-Za-z]+)'", file.read_text()))
        for file in (root / folder).rglob("*.py"):
            text = file.read_text()
            used |= set(re.findall(r"\.(?:command|execute_command)\(\s*\"([A-Z]+)\"", text))
            used |= set(re.findall(r"pipeline\(\s*\[?\[[\[(]\"([A-Z]+)\"", text))
    assert len(used) > 50
    assert used <= {words[0] for words in commands()}


@pytest.mark.parametrize(
    ("credentials", "told"),
    [
        (":some-password@", "Redis has no password, and the URL gives one"),
        ("nobody:some-password@", "Redis refuses the user or the password"),
    ],
)
def test_a_password_that_redis_does_not_want_is_told(
    healthy: dict[str, str], credentials: str, told: str
) -> None:
    found = marks({**healthy, "REDIS_URL": healthy["REDIS_URL"].replace("//", f"//{credentials}")})
    assert (found["redis"].mark, found["redis"].found) == ("failure", told)
    assert "some-password" not in str(found)


def test_a_password_that_is_missing_is_told(healthy: dict[str, str]) -> None:
    admin = redis.Redis.from_url(healthy["REDIS_URL"])
    admin.config_set("requirepass", "some-password")
    try:
        assert marks(healthy)["redis"].found == "Redis wants a password"
    finally:
        admin.config_set("requirepass", "")


def test_the_limit_that_holds_is_told_rather_than_the_environments(
    healthy: dict[str, str], ledger: WorkLedger
) -> None:
    assert "60000 calls a minute by `account set`" in marks(healthy)["account default"].found
    set_rate(ledger, 45, 6.0)
    found = marks({**healthy, "INTERAKT_CALLS_PER_MINUTE": "450"})["account default"].found
    assert found == "the key is accepted, 450 calls a minute"
    ledger.link.command("HSET", f"{ledger.prefix}state", "factor", "0.5")
    assert "cut to 50% after a 429" in marks(healthy)["account default"].found


def test_a_missing_webhook_secret_is_told(healthy: dict[str, str]) -> None:
    environ = {**healthy, "INTERAKT_API_KEY__BRAND_B": "b3RoZXIta2V5Og=="}
    found = marks(environ)
    assert (found["webhooks default"].mark, found["webhooks brand_b"].mark) == ("ok", "warning")
    assert "INTERAKT_WEBHOOK_SECRET__BRAND_B is not set" in found["webhooks brand_b"].found


@pytest.mark.parametrize("columns", [80, 60])
def test_each_line_fits_a_terminal_and_a_pipe_gets_whole_lines(healthy: dict[str, str], columns: int) -> None:
    environ = {**healthy, "INTERAKT_API_KEY__BRAND_B": "b3RoZXIta2V5Og==", "INTERAKT_CALS_PER_MINUTE": "1"}
    lines = run({**environ, "COLUMNS": str(columns)}).stdout.splitlines()
    assert max(map(len, lines)) <= columns
    piped = run(environ).stdout
    assert "INTERAKT_CALS_PER_MINUTE is not a setting" in piped
    for name, check in marks(environ).items():
        (line,) = [line for line in piped.splitlines() if line.startswith(f"{check.mark:8} {name:20} ")]
        assert name == "redis clock" or check.found.split(" by ")[0] in line
