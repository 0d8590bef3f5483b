"""The Lua library: each file is whole by itself, knows no operation, and an error names it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import redis

from interakt_jobs import OPERATIONS
from interakt_jobs.ledger.keys import prefix
from interakt_jobs.ledger.scripts import bundle
from tests.house import ROOT, cycles

FILES = sorted(file for part in ("interakt_jobs", "worker") for file in (ROOT / part).rglob("*.lua"))
MODULES = {file.stem: file for file in FILES if re.search(r"^return \{", file.read_text(), re.MULTILINE)}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_file_parses_alone(file: Path, redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as server:
        assert len(server.script_load(file.read_text())) == 40


def test_no_two_modules_require_each_other() -> None:
    required = {
        name: set(re.findall(r"require *\(?'(\w+)'", file.read_text())) for name, file in MODULES.items()
    }
    assert len(required) > 15
    assert cycles(required) == []


def test_no_two_files_have_one_name() -> None:
    names = [file.stem for file in FILES]
    assert len(names) == len(set(names))


def test_an_error_names_the_file_and_the_line(redis_url: str) -> None:
    script = bundle(
        "broken", "-- a comment\nlocal records = require 'records'\nreturn records.missing.field\n"
    )
    with redis.Redis.from_url(redis_url) as server, pytest.raises(redis.ResponseError) as caught:
        server.eval(script.text, 1, prefix("default"))
    assert script.place(str(caught.value)) == "broken.lua:3"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_lua_knows_no_operation_by_name(file: Path) -> None:
    text = re.sub(r"--[^\n]*", "", file.read_text())
    assert not set(re.findall(r"[\w]+", text)) & {*OPERATIONS, "run_campaign"}
