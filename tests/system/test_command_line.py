"""The operators' command line, as processes against a running stack."""

from __future__ import annotations

import getpass
import json
import subprocess
import sys
import time

import pytest
from redis import Redis

import interakt_jobs
from interakt_jobs import JobDead, send_text
from interakt_jobs.ledger.keys import prefix
from sandbox.stack import ROOT, Stack
from tests.waiting import until
from worker.cli import COMMANDS

TEXT = {"countryCode": "+91", "phoneNumber": "9999999999", "type": "Text", "data": {"message": "Hello"}}
STRANGER = {**TEXT, "phoneNumber": "9888888888"}


def run(stack: Stack, *words: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "worker", *words],
        cwd=ROOT,
        env=stack.environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def dead_job(payload: dict[str, object]) -> interakt_jobs.Job:
    job = send_text.delay(payload)  # type: ignore[arg-type]
    with pytest.raises(JobDead):
        job.get(timeout=60)
    return job


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_explains_itself_with_an_example(stack: Stack, name: str) -> None:
    text = run(stack, name, "--help")
    assert "Example:" in text


def test_a_dead_letter_is_shown_edited_and_replayed(stack: Stack) -> None:
    job = dead_job(STRANGER)
    assert job.id in run(stack, "dead-letters", "list", "--reason", "rejected", "--newer", "1h")
    shown = json.loads(run(stack, "dead-letters", "show", job.id, "--json"))
    assert shown["log"][0]["status"] == 400
    assert "many" not in run(stack, "dead-letters", "replay", job.id, "--dry-run")
    refused = run(stack, "dead-letters", "edit", job.id, "--set", 'phoneNumber="12"', code=1)
    assert "phoneNumber" in refused
    run(stack, "dead-letters", "edit", job.id, "--set", 'phoneNumber="9999999999"')
    run(stack, "dead-letters", "replay", job.id)
    assert job.get(timeout=60)["status"] == 201
    assert "not a dead letter" in run(stack, "dead-letters", "replay", job.id, code=1)


def test_dead_letters_are_replayed_dropped_and_exported_by_filter(stack: Stack) -> None:
    jobs = [dead_job(STRANGER) for _ in range(3)]
    lines = run(stack, "dead-letters", "export", "--operation", "send_text").splitlines()
    assert {job.id for job in jobs} <= {json.loads(line)["id"] for line in lines}
    assert "3 would be sent again" in run(
        stack, "dead-letters", "replay", "--text", "not available", "--dry-run"
    )
    assert "dropped" in run(stack, "dead-letters", "drop", "--text", "not available", "--yes")
    assert "none" in run(stack, "dead-letters", "list", "--text", "not available")
    (newest,) = map(json.loads, run(stack, "audit", "--most", "1", "--json").splitlines())
    assert (newest["act"], newest["jobs"]) == ("drop", "3")
    assert getpass.getuser() in run(stack, "audit")
    assert "known: default" in run(stack, "audit", "--account", "brand_x", code=2)
    run(stack, "dead-letters", "replay", code=2)


def test_a_paused_account_holds_its_jobs_until_it_is_resumed(stack: Stack) -> None:
    run(stack, "account", "pause", "default", "--for", "1h", "--why", "deploy")
    job = send_text.delay(TEXT)  # type: ignore[arg-type]
    time.sleep(0.5)
    status = json.loads(run(stack, "status", "--json"))["accounts"][0]
    assert status["lanes"]["normal"]["ready"] == 1
    assert "deploy" in status["why"]
    run(stack, "account", "resume", "default")
    assert job.get(timeout=60)["status"] == 201


def test_the_rate_is_changed_while_running_and_outlives_a_worker(stack: Stack) -> None:
    run(
        stack,
        "account",
        "set",
        "default",
        "--calls-per-minute",
        "50000",
        "--shares",
        "urgent=50,normal=30,bulk=20",
    )
    stack.worker("another")
    stack.wait_for_workers(3)
    assert "50000 calls" in run(stack, "account", "list")
    assert stack.end("another") == 0
    run(stack, "account", "set", "default", "--shares", "urgent=90,normal=30,bulk=20", code=2)
    run(stack, "account", "set", "nobody", "--calls-per-minute", "5", code=1)


def test_a_paused_template_parks_its_jobs(stack: Stack) -> None:
    run(stack, "template", "pause", "welcome_message:en")
    payload = {"countryCode": "+91", "phoneNumber": "9999999999", "template": {
        "name": "welcome_message", "languageCode": "en", "bodyValues": ["J"]}}  # fmt: skip
    job = interakt_jobs.send_template.delay(payload)  # type: ignore[arg-type]
    until(lambda: job.read().state == "waiting_for_template")
    assert "1 jobs wait" in run(stack, "template", "list")
    run(stack, "template", "resume", "welcome_message:en")
    run(stack, "template", "pause", "another:en", "--for", "1h")
    assert "another:en" in run(stack, "template", "list")
    with Redis.from_url(stack.valkey.url) as redis:
        until_, _, rest = str(redis.hget(f"{prefix('default')}groups", "another:en"), "utf-8").partition("|")
        assert (
            redis.hset(f"{prefix('default')}groups", "another:en", f"{int(until_) - 3_600_000}|{rest}") == 0
        )
    assert "another:en" not in run(stack, "template", "list"), "a pause that has ended is none"
    run(stack, "template", "pause", "another:en", "--account", "nope", code=2)
    assert job.get(timeout=60)["status"] == 201


def test_a_job_is_shown_and_cancelled(stack: Stack) -> None:
    job = send_text.delay(TEXT, countdown=3600)  # type: ignore[arg-type]
    assert "waiting" in run(stack, "job", "show", job.id)
    run(stack, "job", "cancel", job.id)
    assert "cancelled" in run(stack, "job", "show", job.id)
    assert "no job" in run(stack, "job", "show", "ij1.default." + "0" * 32, code=1)
    run(stack, "job", "show", "nonsense", code=2)


def test_the_doctor_finds_a_running_stack_in_order(stack: Stack) -> None:
    checks = {check["name"]: check for check in json.loads(run(stack, "doctor", "--json"))}
    assert checks["account default"]["mark"] == "ok"
    assert checks["redis persistence"]["mark"] == "ok"
