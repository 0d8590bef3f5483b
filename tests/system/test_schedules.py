"""Beat, workers and the ``schedule`` command: each slot runs once while beats are killed, doubled and Redis restarts."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from interakt_jobs import configure
from interakt_jobs.ledger import keys
from interakt_jobs.ledger.keys import CELERY
from interakt_jobs.ledger.redis_client import RedisClient
from sandbox.stack import ROOT, Stack
from tests.waiting import until, until_still
from worker.schedules.definition import read
from worker.schedules.store import Schedules

from .conftest import QUICK

BEAT = ["celery", "-A", "worker.app", "beat", "--scheduler", "worker.beat.Scheduler", "--pidfile="]
PERSON = {"countryCode": "+91", "phoneNumber": "9999999999"}
STATIC = """
[static]
every = "2s"
run = "track_event"
payload = { countryCode = "+91", phoneNumber = "9999999999", event = "static" }
"""


@pytest.fixture(scope="module")
def beats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with a file of schedules, a folder for campaigns and two beats."""
    folder = tmp_path_factory.mktemp("schedules")
    (folder / "schedule.toml").write_text(STATIC)
    env = {
        **QUICK,
        "INTERAKT_CALLS_PER_MINUTE": "60000",
        "INTERAKT_CAMPAIGN_DIR": str(folder),
        "INTERAKT_SCHEDULE_FILE": str(folder / "schedule.toml"),
    }
    with Stack(calls_per_minute=0, env=env, relaxed=True, permissive=True) as running:
        running.worker()
        running.bulk()
        running.wait_for_workers(2)
        link = RedisClient(running.valkey.url)
        running.run("beat", *BEAT)
        until(Schedules(link).has_beat)
        running.run("standby", *BEAT)
        link.close()
        configure(running.valkey.url)
        yield running
        configure(None)
        print(running.tail("beat"), running.tail("standby"))


def run(stack: Stack, *words: str, code: int = 0, stdin: str | None = None) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "worker", "schedule", *words],
        cwd=ROOT, env=stack.environment, capture_output=True, text=True, timeout=300, input=stdin,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def listed(stack: Stack) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in json.loads(run(stack, "list", "--json"))}


def accepted(stack: Stack, name: str) -> dict[str, int]:
    """How often each job of a schedule was accepted at the sandbox, by its slot."""
    mine = f"ij1.default.schedule.{name}."
    return {
        job.removeprefix(mine): times
        for job, (times, _) in stack.sandbox.jobs().items()
        if job.startswith(mine)
    }


def runs(stack: Stack, name: str) -> int:
    return int(listed(stack)[name]["runs"])


def track(stack: Stack, name: str) -> int:
    """Slots of a track schedule that have reached the sandbox: events carry no id, so calls are counted."""
    calls = stack.sandbox.calls(bodies=True)
    return sum(call["accepted"] and call["body"].get("event") == name for call in calls if call["body"])


def test_with_two_beats_each_slot_of_the_file_and_of_the_command_runs_once(
    beats: Stack, tmp_path: Path
) -> None:
    payload = {**PERSON, "type": "Text", "data": {"message": "Hello"}}
    run(
        beats,
        "add",
        "made",
        "--every",
        "1s",
        "--run",
        "send_text",
        "--payload",
        "-",
        stdin=json.dumps(payload),
    )
    until(lambda: len(accepted(beats, "made")) >= 6)
    slots = accepted(beats, "made")
    assert set(slots.values()) == {1}
    found = listed(beats)
    assert found["made"]["missed"] == 0
    assert until(lambda: track(beats, "static")) >= 2
    assert (found["static"]["origin"], found["made"]["origin"]) == ("file", "made")


def test_the_standby_takes_over_when_the_active_beat_is_killed(beats: Stack) -> None:
    before = accepted(beats, "made")
    os.killpg(beats.processes.pop("beat").pid, signal.SIGKILL)
    until(lambda: len(accepted(beats, "made")) >= len(before) + 2)
    beats.run("again", *BEAT)
    assert set(accepted(beats, "made").values()) == {1}
    found = json.loads(run(beats, "show", "made", "--json"))
    slots = _seconds(found["last"]) - _seconds(found["fields"]["start"])
    assert found["runs"] + found["missed"] == slots


def _seconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp())


def test_a_beat_that_is_stopped_hands_over_at_once(beats: Stack) -> None:
    count = len(accepted(beats, "made"))
    with Redis.from_url(beats.valkey.url) as redis:
        lock = redis.get(f"{keys.BEAT}:lock")
        assert lock and beats.end("standby") == 0
        assert redis.get(f"{keys.BEAT}:lock") != lock, "it has let go, nobody waits for its lease"
    until(lambda: len(accepted(beats, "made")) >= count + 3)
    beats.run("standby", *BEAT)


def test_redbeats_plain_scheduler_does_our_schedules_no_harm(beats: Stack) -> None:
    before = set(listed(beats))
    for name in [name for name in beats.processes if name in ("standby", "again")]:
        beats.end(name)
    plain = ["redbeat.RedBeatScheduler" if "Scheduler" in word else word for word in BEAT]
    beats.run("plain", *plain)
    until(lambda: "no beat is active" not in run(beats, "list"))
    time.sleep(3)
    assert set(listed(beats)) == before
    beats.end("plain")
    count = len(accepted(beats, "made"))
    beats.run("standby", *BEAT)
    until(lambda: len(accepted(beats, "made")) > count)


def test_a_restart_of_redis_loses_no_schedule_and_doubles_no_slot(beats: Stack) -> None:
    run(beats, "add", "later", "--cron", "0 9 1 1 *", "--run", "track_event", "--payload", "-",
        stdin=json.dumps({**PERSON, "event": "later"}))  # fmt: skip
    time.sleep(1.5)
    before = set(listed(beats))
    beats.valkey.kill()
    time.sleep(2)
    beats.valkey.start()
    count = len(accepted(beats, "made"))
    until(lambda: len(accepted(beats, "made")) >= count + 3)
    assert set(listed(beats)) == before == {"static", "made", "later"}
    assert set(accepted(beats, "made").values()) == {1}


def test_schedules_are_changed_paused_and_removed_while_running(beats: Stack) -> None:
    run(beats, "pause", "made")
    count = until_still(lambda: len(accepted(beats, "made")), 3.0)
    assert "paused" in run(beats, "list")
    run(beats, "resume", "made")
    until(lambda: len(accepted(beats, "made")) > count)
    run(beats, "change", "made", "--every", "1d")
    text = run(beats, "show", "made")
    assert "every 1d" in text and '"message": "Hello"' in text
    run(beats, "change", "later", "--timezone", "Asia/Kolkata")
    assert "09:00:00 IST" in run(beats, "next", "later", "--count", "1")
    assert len(json.loads(run(beats, "next", "later", "--json"))) == 5
    assert "stands in the file" in run(beats, "remove", "static", code=1)
    assert "stands in the file" in run(beats, "change", "static", "--every", "1h", code=1)
    run(beats, "remove", "made")
    assert "no schedule 'made'" in run(beats, "show", "made", code=1)


def test_a_scheduled_campaign_runs(beats: Stack) -> None:
    folder = Path(beats.extra["INTERAKT_CAMPAIGN_DIR"])
    (folder / "sale.toml").write_text(
        'name = "Sale"\n[template]\nname = "diwali_offer"\nlanguage = "en"\nbody = ["{name}"]\n'
    )
    (folder / "people.csv").write_text("phone,name\n" + "".join(f"99999{at:05d},N\n" for at in range(5)))
    soon = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() + 3))
    run(
        beats,
        "add",
        "sale",
        "--every",
        "1d",
        "--start",
        soon,
        "--definition",
        "sale.toml",
        "--recipients",
        "people.csv",
    )
    until(lambda: sum(".0." in job and times == 1 for job, (times, _) in beats.sandbox.jobs().items()) == 5)
    assert runs(beats, "sale") == 1


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ("add NO --every 1h --run track_user --payload -", 2, "name"),
        ("add x --run track_user --payload -", 2, "say either cron or every"),
        ("add x --every 1h --run track_user", 2, "payload"),
        ("add x --cron 61_*_*_*_* --run track_user --payload -", 2, "minute"),
        ("add x --every 1h --timezone Mars --run track_user --payload -", 2, "time zone"),
        ("add x --cron @daily --end 2020-01-01T00:00Z --run track_user --payload -", 1, "never run"),
        ("add static --every 1h --run track_user --payload -", 1, "already"),
        ("add x --every 1h --run track_user --payload - --account nobody", 2, "no account"),
        ("add x --every 1h --run track_user --payload - --recipients a.csv", 2, "leave out --payload"),
        ("change nothing --every 1h", 1, "no schedule"),
        ("pause nothing", 1, "no schedule"),
        ("next static --count 0", 2, "--count"),
    ],
)
def test_a_mistake_is_told(beats: Stack, words: str, code: int, told: str) -> None:
    parts = [word.replace("_*", " *") if "*" in word else word for word in words.split()]
    assert told in run(beats, *parts, code=code, stdin='{"userId": "17"}')


def test_a_tick_that_is_lost_is_asked_for_again_and_holds_no_payload() -> None:
    with Stack(env=QUICK, relaxed=True, permissive=True) as stack:
        link = RedisClient(stack.valkey.url)
        schedules = Schedules(link)
        soon = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() + 2))
        payload = {**PERSON, "type": "Text", "data": {"message": "Hello"}}
        schedules.add(read("lost", {"every": "1d", "start": soon, "run": "send_text", "payload": payload}))
        stack.run("beat", *BEAT)
        message = until(lambda: link.command("LINDEX", f"{CELERY}intake", 0))
        assert b"9999999999" not in message + base64.b64decode(json.loads(message)["body"])
        link.command("DEL", f"{CELERY}intake")
        stack.worker()
        until(lambda: list(accepted(stack, "lost").values()) == [1])
        assert schedules.get("lost").runs == 1
        link.close()


def test_beat_tells_the_mistakes_of_its_file_and_ends(beats: Stack, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text('[one]\ncron = "soon"\nrun = "track_user"\n')
    done = subprocess.run(
        [sys.executable, "-m", *BEAT], cwd=ROOT, capture_output=True, text=True, timeout=300,
        env={**beats.environment, "INTERAKT_SCHEDULE_FILE": str(tmp_path / "bad.toml")},
    )  # fmt: skip
    assert done.returncode != 0
    assert "one.cron: must be five fields" in done.stdout + done.stderr
    assert "one.payload" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
