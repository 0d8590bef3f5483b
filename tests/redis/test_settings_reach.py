"""Every setting is read, and reaches each path that it is for."""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from config.accounts import Account
from config.settings import Settings, load
from interakt_jobs import PayloadError, configure, send_text
from interakt_jobs.ledger.keys import prefix
from interakt_jobs.ledger.redis_client import RedisClient
from sandbox.stack import ROOT
from worker import process
from worker.ledger.dead_letters import DeadLetters
from worker.ledger.work_ledger import WorkLedger
from worker.webhooks.receipts import apply_receipt

from .test_held_ends import LOST, REFUSED, webhooks
from .test_ledger import DONE, holds_end, reap, run_to_start

Accept = Callable[..., str]
KEPT = 777
KEY = "c2FuZGJveC10b2tlbjo="
TEXT = {"countryCode": "+91", "phoneNumber": "9999999999", "type": "Text", "data": {"message": "hello"}}
LUA = [file for part in ("interakt_jobs", "worker") for file in (ROOT / part).rglob("*.lua")]


def test_every_setting_is_read_by_something() -> None:
    read = set()
    for part in ("worker", "config"):
        for file in (ROOT / part).rglob("*.py"):
            if file.name in ("schema.py", "settings.py", "accounts.py"):
                continue
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                    read.add(node.attr)
    schema = (ROOT / "config" / "schema.py").read_text()
    read |= {name for name in Account.__dataclass_fields__ if f"self.{name}" in schema}
    known = {*Settings.__dataclass_fields__, *Account.__dataclass_fields__} - {"warnings"}
    assert known - read == set()


def defaults() -> dict[str, str]:
    text = (ROOT / "interakt_jobs" / "ledger" / "lua" / "settings.lua").read_text()
    return dict(re.findall(r"(\w+) = '(\d+)'", text))


def test_the_defaults_in_lua_are_those_of_the_settings(link: RedisClient, redis_url: str) -> None:
    room = process.Process(load({"REDIS_URL": redis_url, "INTERAKT_API_KEY": KEY}))
    room.register()
    flat = link.command("HGETALL", f"{prefix('default')}state")
    state = {name.decode(): value.decode() for name, value in zip(flat[::2], flat[1::2], strict=True)}
    del state["since"]
    assert state == defaults()


def test_no_lua_file_has_a_default_of_its_own() -> None:
    names = "|".join(defaults())
    for file in LUA:
        found = re.search(rf"\b({names}) or '?\d", file.read_text())
        assert found is None, f"{file.relative_to(ROOT)}: {found}"


@pytest.mark.parametrize("allowed", ["on", "off"])
def test_unknown_fields_pass_in_what_a_worker_accepts_itself_too(
    ledger: WorkLedger, redis_url: str, monkeypatch: pytest.MonkeyPatch, allowed: str
) -> None:
    """Messages published by name, and the jobs of schedules."""
    known = {"REDIS_URL": redis_url, "INTERAKT_API_KEY": KEY, "INTERAKT_ALLOW_UNKNOWN_FIELDS": allowed}
    monkeypatch.setattr(process, "current", lambda: load(known))
    monkeypatch.setattr(process, "_process", None)
    process.process()
    payload: Any = {**TEXT, "fieldOfTomorrow": 1}
    try:
        if allowed == "off":
            with pytest.raises(PayloadError, match="fieldOfTomorrow"):
                send_text.delay(payload)
        else:
            assert send_text.delay(payload).read().payload == payload
    finally:
        configure(None)


def settled_by_an_early_receipt(ledger: WorkLedger, job_key: str) -> None:
    work = run_to_start(ledger)
    apply_receipt(ledger, job_key, "sent", at_ms=7)
    ledger.step(work, LOST)


def settled_while_it_is_held(ledger: WorkLedger, job_key: str) -> None:
    ledger.step(run_to_start(ledger), LOST)
    apply_receipt(ledger, job_key, "sent", at_ms=int(time.time() * 1000))


def corrected_by_a_receipt(ledger: WorkLedger, job_key: str) -> None:
    ledger.step(run_to_start(ledger), LOST)
    holds_end(ledger)
    apply_receipt(ledger, job_key, "sent", at_ms=int(time.time() * 1000))


def settled_when_its_worker_died(ledger: WorkLedger, job_key: str) -> None:
    run_to_start(ledger)
    apply_receipt(ledger, job_key, "sent", at_ms=7)
    ledger.link.command("ZADD", f"{ledger.prefix}run:normal", 1, job_key)
    reap(ledger)


def cancelled(ledger: WorkLedger, job_key: str) -> None:
    ledger.cancel(job_key)


def cancelled_after_a_hold(ledger: WorkLedger, job_key: str) -> None:
    ledger.step(run_to_start(ledger), LOST)
    ledger.cancel(job_key)
    holds_end(ledger)


@pytest.mark.parametrize(
    "happens",
    [
        settled_by_an_early_receipt,
        settled_while_it_is_held,
        corrected_by_a_receipt,
        settled_when_its_worker_died,
        cancelled,
        cancelled_after_a_hold,
    ],
)
def test_a_result_is_kept_as_long_as_is_set_however_the_job_ended(
    ledger: WorkLedger, accept: Accept, happens: Callable[[WorkLedger, str], None]
) -> None:
    webhooks(ledger, keep_done=KEPT)
    job_key = accept(repeat="never")
    happens(ledger, job_key)
    assert ledger.read(job_key).state in ("done", "cancelled")
    assert KEPT - 60 < int(ledger.link.command("TTL", f"{ledger.prefix}j:{job_key}")) <= KEPT


def test_the_round_of_a_job_is_known_as_long_as_its_dead_letter_may_be_kept(
    ledger: WorkLedger, accept: Accept
) -> None:
    keep = 90 * 86400
    webhooks(ledger, keep_dead=keep)
    job_key = accept()
    ledger.step(run_to_start(ledger), REFUSED)
    DeadLetters(ledger).replay(job_key)
    ledger.step(run_to_start(ledger), DONE)
    assert int(ledger.link.command("TTL", f"{ledger.prefix}replays:{job_key}")) > keep
