"""What a person mistypes on the command line is told in a sentence: no traceback, no password."""

from __future__ import annotations

import os

import pytest
from click.testing import CliRunner, Result

from interakt_jobs.ledger.keys import ACCOUNTS
from interakt_jobs.ledger.redis_client import RedisClient
from worker.cli import main

JOB = "ij1.default.01a207ed436b70a9bd7ee315f7e34359"


def run(words: str, url: str) -> Result:
    clean = {name: None for name in os.environ if name.startswith(("INTERAKT_", "SENTRY_"))}
    return CliRunner().invoke(main, words.split(" "), env={**clean, "REDIS_URL": url})


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("nonsense", "No such command"),
        ("status --account nope", "no account 'nope'"),
        ("dead-letters list --account nope", "no account 'nope'"),
        ("dead-letters list --text (", "no regular expression"),
        ("dead-letters list --older soon", "use 90s, 15m, 12h or 7d"),
        ("dead-letters replay", "name ids, give a filter, or say --all"),
        ("dead-letters show 17", "a job id looks like"),
        (f"job show {JOB}", "no job"),
        (f"dead-letters edit {JOB} --set a=1", "no job"),
        ("campaign show c!", "an id is c and 8 to 16"),
        ("poison show 17", "no poison message 17"),
        ("template pause offer", "name:language"),
        ("account pause NO-PE", "lower-case letters"),
        ("account pause nope", "no worker ever registered"),
        ("account set default --shares a=1", "urgent, normal and bulk"),
        ("account set default", "say what to change"),
        ("account set default --calls-per-minute many", "not a valid integer"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(redis_url: str, words: str, told: str) -> None:
    RedisClient(redis_url).command("SADD", ACCOUNTS, "default")
    result = run(words, redis_url)
    assert result.exit_code in (1, 2)
    assert told in result.output
    assert isinstance(result.exception, SystemExit)


@pytest.mark.parametrize(
    "url", ["nonsense", "http://127.0.0.1", "redis://", "redis://:hunter22@127.0.0.1:1/0"]
)
@pytest.mark.parametrize("words", ["status", "dead-letters list", "poison list", f"job show {JOB}"])
def test_an_unusable_redis_is_named_without_its_password(url: str, words: str) -> None:
    result = run(words, url)
    assert result.exit_code in (1, 2)
    assert "REDIS_URL" in result.output
    assert "hunter22" not in result.output
    assert isinstance(result.exception, SystemExit)
