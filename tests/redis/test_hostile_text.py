"""Whatever outside text holds, every command shows it as text: it acts on no terminal, is no markup and makes no line."""

from __future__ import annotations

import json
import logging
import os
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from interakt_jobs.ledger.keys import ACCOUNTS, prefix
from interakt_jobs.ledger.redis_client import RedisClient
from worker.campaigns.running import control
from worker.campaigns.store.store import CampaignStore
from worker.cli import main
from worker.dispatch.heartbeat import WORKERS
from worker.dispatch.message_filter import POISON, keep_poison
from worker.ledger.dead_letters import DeadLetters
from worker.ledger.work_ledger import WorkLedger
from worker.schedules.definition import read
from worker.schedules.store import PREFIX, Schedules
from worker.telemetry.logs import JsonFormatter, TextFormatter
from worker.telemetry.shown import as_json, shown

from .test_campaign_feed import CID, definition, people
from .test_dead_letters import kill

ACTS = "\x1b]0;pwned\x07\x1b[2J\x1b[8m\x9b31m\u202egnp\u2066\u200b\x7f"
HOSTILE = f"x[/bold][red]{ACTS}\r\nFAKE: all is well\u2028FAKE\x85FAKE\x00"
KEPT = "\n\u200c\u200d"


def unsafe(text: str) -> set[str]:
    return {
        mark
        for mark in text
        if not mark.isprintable() and mark not in KEPT and unicodedata.category(mark) != "Zs"
    }


def run(words: list[str], url: str, **more: str) -> Result:
    clean = {name: None for name in os.environ if name.startswith(("INTERAKT_", "SENTRY_"))}
    result = CliRunner().invoke(main, words, env={**clean, "REDIS_URL": url, **more})
    assert result.exception is None or isinstance(result.exception, SystemExit), words
    return result


@pytest.fixture
def hostile(
    redis_url: str, ledger: WorkLedger, link: RedisClient, accept: Callable[..., str]
) -> dict[str, str]:
    """A ledger whose every outside text is hostile; the ids that commands need."""
    own = ledger.prefix
    error = HOSTILE + "y" * 1500
    job_key = kill(ledger, accept, error=error, payload=json.dumps({"unknown " + HOSTILE: HOSTILE}))
    link.command("HSET", f"{own}groups", HOSTILE, f"{2**52}|1|{HOSTILE}")
    link.command("HSET", f"{own}groups", b"\xff\xfe", f"{2**52}|1|why")
    link.command("SADD", f"{own}templates_waiting", HOSTILE)
    link.command("ZADD", f"{own}waiting_for_template:{HOSTILE}", 1, "t")
    link.command("HSET", f"{own}state", "paused_until", 2**52, "why", HOSTILE)
    link.command("SADD", ACCOUNTS, f"evil{HOSTILE}")
    link.command("HSET", f"{prefix(f'evil{HOSTILE}')}state", "since", 1, "rate", 300, "window_ms", 60000)
    entry = {"pid": 1, "host": HOSTILE, "queues": [HOSTILE], "slots": 1, "want": 1, "at": 2**42}
    link.command("HSET", WORKERS, "token", json.dumps(entry))
    stop = {"user_id": HOSTILE, "at_ms": 1, "received_ms": 1}
    link.command("HSET", f"{own}optout_open", HOSTILE, json.dumps(stop))
    link.command("XADD", f"{own}audit", "*", "act", HOSTILE, "who", HOSTILE, HOSTILE, HOSTILE)

    class Client:
        execute_command = staticmethod(link.command)

    keep_poison(Client, HOSTILE, HOSTILE.encode() + b"\xff" + b"z" * 70_000, HOSTILE)
    (poison,) = link.command("XRANGE", POISON, "-", "+")
    control.create(link, definition(), people(2), campaign=CID)
    link.command(
        "HSET",
        CampaignStore(link, "default", CID).key("meta"),
        "name",
        HOSTILE,
        "why",
        HOSTILE,
        "status",
        "paused",
    )
    store = CampaignStore(link, "default", CID)
    link.command("HSET", store.key("meta"), "rejected", json.dumps({HOSTILE: 2}))
    schedules = Schedules(link)
    event = {"countryCode": "+91", "phoneNumber": "9999999999", "event": HOSTILE}
    schedules.add(read("weekly", {"every": "7d", "run": "track_event", "payload": event}))
    link.command("HSET", f"{PREFIX}weekly", "error", HOSTILE, "job", HOSTILE)
    return {"job": f"ij1.default.{job_key}", "poison": poison[0].decode(), "campaign": CID}


# Every command that shows something, with arguments; what is not here is listed below it.
SHOWS = [
    "account list",
    "audit",
    "campaign list",
    "campaign show {campaign}",
    "campaign progress {campaign}",
    "campaign export {campaign}",
    "campaign export {campaign} --format jsonl",
    "dead-letters list",
    "dead-letters show {job}",
    "dead-letters export",
    "dead-letters replay --operation send_text --dry-run",
    "doctor",
    "health",
    "job show {job}",
    "optout count",
    "optout open",
    "optout export-hashes",
    "poison list",
    "poison show {poison}",
    "schedule list",
    "schedule show weekly",
    "schedule next weekly",
    "status",
    "template list",
]
# What takes outside text as an argument or a file; H is hostile.
TAKES = [
    "account pause default --why H",
    "account set H --shares urgent=60,normal=20,bulk=20",
    "account pause H",
    "account resume H",
    "account confirm-loss H",
    "audit --account H",
    "campaign show H",
    "campaign start H",
    "campaign pause H",
    "campaign resume H",
    "campaign cancel H",
    "campaign retry H --failed",
    "campaign export H",
    "campaign drop H --yes",
    "campaign create F --recipients H",
    "campaign preflight F --recipients F",
    "dead-letters edit {job} --set H",
    "dead-letters edit {job} --set H=1",
    "dead-letters edit {job} --payload F",
    "dead-letters show H",
    "dead-letters list --text H[",
    "dead-letters replay H",
    "dead-letters drop --operation H --yes",
    "health --host H --queue H",
    "job show H",
    "job cancel H",
    "optout add H",
    "optout remove H",
    "optout check H",
    "optout settle H +919999999999",
    "optout import F",
    "optout import-hashes F",
    "poison show H",
    "schedule show H",
    "schedule add H --every 7d",
    "schedule add good --every H",
    "schedule add good --cron H --run track_event --payload F",
    "schedule change weekly --cron H",
    "schedule pause H",
    "schedule resume H",
    "schedule remove H",
    "schedule next H",
    "status --account H",
    "template pause H:en --why H",
    "template resume H:en",
    "poison clear --yes",
    "account confirm-loss",
]
ELSEWHERE = {"run", "web"}  # they log; the log's formatters are tested below


def leaves(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if not isinstance(command, click.Group):
        yield path
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        yield from leaves(found, (*path, name))


def test_every_command_is_tried() -> None:
    tried = [*SHOWS, *TAKES]
    for path in leaves(main):
        words = " ".join(path)
        assert words in ELSEWHERE or any(each == words or each.startswith(f"{words} ") for each in tried), (
            words
        )


@pytest.mark.parametrize("words", [*SHOWS, *TAKES])
def test_no_command_lets_outside_text_act(
    words: str, hostile: dict[str, str], redis_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "hostile"
    file.write_text(json.dumps({HOSTILE: HOSTILE}) + "\n" + HOSTILE.replace("\x00", ""), encoding="utf-8")
    argument = HOSTILE.replace("\x00", "")
    split = [
        str(file) if word == "F" else word.format(**hostile).replace("H", argument) for word in words.split()
    ]
    for options in ([], ["--json"]):
        result = run([*split, *options], redis_url)
        assert not unsafe(result.output), (words, unsafe(result.output))
        # where a table folds at 80 columns, what went before is there
        assert "\nFAKE" not in result.output.replace("\\n\nFAKE", "")
        assert len(result.output) < 400_000


@pytest.mark.parametrize(
    "words", ["status", "template list", "account list", "dead-letters list", "poison list", "campaign list"]
)
def test_markup_is_shown_as_it_is(words: str, hostile: dict[str, str], redis_url: str) -> None:
    result = run(words.split(), redis_url)
    assert result.exit_code == 0
    assert "x[/bold][red]" in result.output.replace("\n", "")


def test_json_says_the_same_to_a_machine(hostile: dict[str, str], redis_url: str) -> None:
    found = json.loads(run(["dead-letters", "show", hostile["job"], "--json"], redis_url).output)
    assert found["payload"] == {"unknown " + HOSTILE: HOSTILE}
    assert json.loads(as_json({HOSTILE: [HOSTILE, "\ud800", "\U000e0041"]})) == {
        HOSTILE: [HOSTILE, "\ud800", "\U000e0041"]
    }


def test_other_scripts_emoji_and_spaces_stay_and_the_rest_is_bounded() -> None:
    for text in ("नमस्ते, क्‍ष", "👩‍👩‍👧 🇮🇳", "a\u00a0b", "C:\\temp [x]"):
        assert shown(text) == text
    assert shown("a\nb\x1b") == "a\\nb\\x1b"
    assert len(shown("\x1b" * 10_000_000, 100)) < 500


@pytest.mark.parametrize("formatter", [JsonFormatter(), TextFormatter()])
def test_a_log_line_is_one_line_that_acts_on_nothing(formatter: logging.Formatter) -> None:
    record = logging.makeLogRecord(
        {"msg": "%s", "args": (HOSTILE,), "name": "worker", "levelname": "ERROR", "template": HOSTILE}
    )
    line = formatter.format(record)
    assert not unsafe(line)
    assert "\n" not in line


def test_a_dead_letters_error_is_bounded_in_a_list(
    ledger: WorkLedger, accept: Callable[..., str], redis_url: str
) -> None:
    kill(ledger, accept, error="w" * 100_000)
    assert len(next(DeadLetters(ledger).find()).error) == 100_000
    assert len(run(["dead-letters", "list"], redis_url).output) < 400
