"""What people do to accounts, jobs, people and schedules is noted with who; what would be lost is counted first."""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
from click.testing import CliRunner, Result

from interakt_jobs.ledger.keys import BEAT, POISON
from interakt_jobs.ledger.redis_client import RedisClient
from worker.campaigns.running import control
from worker.cli import main
from worker.dispatch.message_filter import keep_poison
from worker.ledger.work_ledger import WorkLedger

from .test_campaign_feed import CID, definition, people
from .test_dead_letters import kill

Accept = Callable[..., str]


@pytest.fixture
def run(redis_url: str, ledger: WorkLedger) -> Callable[..., Result]:
    def call(words: str, code: Any = 0, typed: str = "", folder: str | None = None) -> Result:
        clean = {name: None for name in os.environ if name.startswith(("INTERAKT_", "SENTRY_"))}
        environ = {**clean, "REDIS_URL": redis_url, "INTERAKT_CAMPAIGN_DIR": folder}
        result = CliRunner().invoke(main, words.split(), env=environ, input=typed)
        assert result.exit_code == code, result.output
        return result

    return call


def newest(run: Callable[..., Result]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("audit --most 1 --json").output)
    return found


def poison(link: RedisClient) -> None:
    class Client:
        execute_command = staticmethod(link.command)

    keep_poison(Client, "intake", b"not ours", "not JSON")


@pytest.mark.parametrize(
    ("words", "facts"),
    [
        ("account set default --calls-per-minute 600", {"act": "account_set", "calls_per_minute": "600"}),
        (
            "account set default --shares urgent=50,normal=30,bulk=20",
            {"shares": "urgent=50,normal=30,bulk=20"},
        ),
        (
            "account pause default --for 1h --why deploy",
            {"act": "account_pause", "span": "1h", "why": "deploy"},
        ),
        ("account resume default", {"act": "account_resume"}),
        ("template pause offer:en", {"act": "template_pause", "template": "offer:en"}),
        ("template resume offer:en", {"act": "template_resume", "template": "offer:en"}),
        ("job cancel ij1.default.waiting", {"act": "job_cancel", "job": "ij1.default.waiting"}),
        ("dead-letters replay ij1.default.dead", {"act": "replay", "job": "dead"}),
        ("dead-letters drop ij1.default.dead --yes", {"act": "drop", "jobs": "1"}),
        ("poison clear --yes", {"act": "poison_clear", "messages": "1"}),
        ("optout add +919999999999", {"act": "optout_add"}),
        ("optout remove +919999999999", {"act": "optout_remove"}),
        ("optout settle m1 +919999999999", {"act": "optout_settle", "stop": "m1"}),
        ("optout import-hashes {file}", {"act": "optout_import", "people": "1"}),
        (f"campaign start {CID}", {"act": "campaign_running", "campaign": CID}),
        (f"campaign cancel {CID}", {"act": "campaign_cancelled", "campaign": CID}),
        (f"campaign drop {CID} --yes", {"act": "campaign_drop", "campaign": CID}),
        (
            "schedule add weekly --every 7d --run track_event --payload {event}",
            {"act": "schedule_add", "schedule": "weekly"},
        ),
    ],
)
def test_each_act_is_noted_with_who(
    run: Callable[..., Result],
    link: RedisClient,
    ledger: WorkLedger,
    accept: Accept,
    tmp_path: Path,
    words: str,
    facts: dict[str, str],
) -> None:
    kill(ledger, accept, job_key="dead")
    accept(job_key="waiting")
    poison(link)
    link.command("HSET", f"{ledger.prefix}optout_open", "m1", '{"user_id": ""}')
    control.create(link, definition(), people(2), campaign=CID)
    (tmp_path / "event").write_text('{"countryCode": "+91", "phoneNumber": "9999999999", "event": "Hello"}')
    (tmp_path / "file").write_text("0123456789abcdef\n")
    run(words.format(file=tmp_path / "file", event=tmp_path / "event"))
    noted = newest(run)
    assert noted["who"] == getpass.getuser()
    assert {name: noted.get(name) for name in facts} == facts
    assert "9999999999" not in run("audit").output, "the audit names nobody by number"


def test_the_whole_life_of_a_schedule_is_noted(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "event").write_text('{"countryCode": "+91", "phoneNumber": "9999999999", "event": "Hello"}')
    run(f"schedule add weekly --every 7d --run track_event --payload {tmp_path / 'event'}")
    for words in ("change weekly --every 14d", "pause weekly", "resume weekly", "remove weekly"):
        run(f"schedule {words}")
        assert newest(run)["act"] == f"schedule_{words.split()[0]}"


def test_acts_of_an_account_and_of_all_are_told_in_their_order(
    run: Callable[..., Result], link: RedisClient
) -> None:
    run("account pause default")
    poison(link)
    run("poison clear --yes")
    run("account resume default")
    acts = [json.loads(line)["act"] for line in run("audit --json").output.splitlines()]
    assert acts == ["account_resume", "poison_clear", "account_pause"]
    assert [json.loads(line)["act"] for line in run("audit --json --most 2").output.splitlines()] == acts[:2]


def test_an_act_is_done_though_a_full_redis_takes_no_note(
    run: Callable[..., Result], link: RedisClient, ledger: WorkLedger
) -> None:
    run("account pause default")
    used = dict(line.split(b":", 1) for line in link.command("INFO", "memory").splitlines() if b":" in line)
    link.command("CONFIG", "SET", "maxmemory", int(used[b"used_memory"]) // 2)
    try:
        run("poison clear --yes")
    finally:
        link.command("CONFIG", "SET", "maxmemory", 0)
    assert newest(run)["act"] == "account_pause"


def test_dead_letters_are_counted_before_they_are_dropped(
    run: Callable[..., Result], ledger: WorkLedger, accept: Accept
) -> None:
    job_keys = [kill(ledger, accept) for _ in range(3)]
    other = kill(ledger, accept, reason="expired")
    alive = accept()
    assert "3 would be dropped" in run("dead-letters drop --reason rejected --dry-run").output
    ids = " ".join(f"ij1.default.{job_key}" for job_key in (*job_keys, alive))
    assert "3 would be dropped" in run(f"dead-letters drop {ids} --dry-run").output
    asked = run("dead-letters drop --reason rejected", code=1, typed="n\n").output
    assert "Drop 3 dead letters?" in asked
    assert ledger.link.command("ZCARD", f"{ledger.prefix}dead") == 4
    assert "3 dropped" in run("dead-letters drop --reason rejected", typed="y\n").output
    assert "none match" in run("dead-letters drop --reason rejected").output
    assert "none match" in run(f"dead-letters drop ij1.default.{alive} --yes").output
    assert [job_key.decode() for job_key in ledger.link.command("ZRANGE", f"{ledger.prefix}dead", 0, -1)] == [
        other
    ]
    assert "accepted" in run("dead-letters drop --delivery-failed", code=2).output


def test_status_tells_of_poison(run: Callable[..., Result], link: RedisClient) -> None:
    assert "poison" not in run("status").output
    poison(link)
    assert "1 messages were not ours: python -m worker poison list" in run("status").output
    assert json.loads(run("status --json").output)["poison"] == link.command("XLEN", POISON) == 1


CAMPAIGN = """
name = "Diwali"
[template]
name = "diwali_offer"
language = "en"
"""


@pytest.mark.parametrize(
    ("files", "payload", "told"),
    [
        ({}, "--definition diwali.toml --recipients people.csv", "definition: no such file"),
        (
            {"diwali.toml": CAMPAIGN},
            "--definition diwali.toml --recipients people.csv",
            "recipients: no such file",
        ),
        (
            {"diwali.toml": "name = 1", "people.csv": "phone\n"},
            "--definition diwali.toml --recipients people.csv",
            "template",
        ),
        ({}, "--definition ../diwali.toml --recipients people.csv", "leads out of"),
        (
            {"p.json": '{"campaign": "c0123456789ab"}'},
            "--run run_campaign --payload {folder}/p.json",
            "no campaign",
        ),
    ],
)
def test_a_schedule_that_could_not_read_its_campaign_is_refused_at_once(
    run: Callable[..., Result],
    link: RedisClient,
    tmp_path: Path,
    files: dict[str, str],
    payload: str,
    told: str,
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    words = f"schedule add weekly --every 7d {payload.format(folder=tmp_path)}"
    result = run(words, ANY, folder=str(tmp_path))
    assert result.exit_code in (1, 2), result.output
    assert told in result.output
    assert not link.command("EXISTS", f"{BEAT}:entry:weekly")


def test_a_schedule_whose_files_are_there_is_made_and_its_change_is_looked_at_too(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    (tmp_path / "diwali.toml").write_text(CAMPAIGN)
    (tmp_path / "people.csv").write_text("phone\n+919999999999\n")
    words = "schedule add weekly --every 7d --definition diwali.toml --recipients people.csv"
    assert run(words, folder=str(tmp_path)).exit_code == 0
    changed = run("schedule change weekly --recipients nobody.csv", ANY, folder=str(tmp_path))
    assert (changed.exit_code, "recipients: no such file" in changed.output) == (2, True)
    elsewhere = run("schedule change weekly --recipients nobody.csv")
    assert (elsewhere.exit_code, "INTERAKT_CAMPAIGN_DIR is not set here" in elsewhere.output) == (0, True)
