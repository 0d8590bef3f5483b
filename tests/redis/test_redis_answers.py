"""Redis answers with an error: which pass by themselves, which need a person, and that no caller sees a raw one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

import interakt_jobs
from interakt_jobs import (
    Job,
    LedgerDamaged,
    LedgerFull,
    LedgerRefused,
    LedgerUnreachable,
    NotConfigured,
    new_id,
    send_text,
)
from interakt_jobs.ledger.keys import prefix
from interakt_jobs.ledger.redis_client import RedisClient
from interakt_jobs.ledger.redis_errors import explain
from sandbox.valkey import Valkey
from tests.troubles import TROUBLES, admin, full

TEXT: Any = {"countryCode": "+91", "phoneNumber": "9999999999", "type": "Text", "data": {"message": "hello"}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """One of its own: what is done to it must not touch other tests."""
    with Valkey(directory=str(tmp_path_factory.mktemp("server"))) as running:
        yield running


@pytest.fixture(autouse=True)
def producer(server: Valkey) -> Iterator[None]:
    interakt_jobs.configure(server.url, allow_unregistered=True)
    yield
    interakt_jobs.configure(None)


def every_call() -> list[Any]:
    """What a producer may do."""
    job = Job(new_id())
    return [
        lambda: send_text.delay(TEXT),
        lambda: list(send_text.delay_many([TEXT, TEXT])),
        job.revoke,
    ]


@pytest.mark.parametrize("name", TROUBLES)
def test_what_passes_is_told_as_an_unreachable_ledger_with_its_reason(server: Valkey, name: str) -> None:
    with TROUBLES[name](server):
        for call in every_call()[:2]:
            with pytest.raises(LedgerUnreachable) as raised:
                call()
            assert raised.value.word == name and not isinstance(raised.value, LedgerRefused)
            assert str(raised.value).startswith(("Redis is", "Redis has", "Redis cannot"))
    assert send_text.delay(TEXT).read().state == "ready"


@pytest.mark.parametrize("name", ["MASTERDOWN", "BUSY"])
def test_reading_and_waiting_meet_no_raw_error_either(server: Valkey, name: str) -> None:
    job = send_text.delay(TEXT)
    calls: list[Any] = [job.read, lambda: job.status, lambda: job.get(timeout=60), job.revoke, job.forget]
    with TROUBLES[name](server):
        for call in calls:
            with pytest.raises(LedgerUnreachable) as raised:
                call()
            assert raised.value.word in (name, "READONLY")
    job.revoke()


def test_the_same_key_after_the_trouble_is_one_job(server: Valkey) -> None:
    with TROUBLES["NOREPLICAS"](server), pytest.raises(LedgerUnreachable):
        send_text.delay(TEXT, idempotency_key="order-1")
    first = send_text.delay(TEXT, idempotency_key="order-1")
    assert send_text.delay(TEXT, idempotency_key="order-1").id == first.id


def test_a_full_redis_is_named(server: Valkey) -> None:
    with full(server), pytest.raises(LedgerFull, match="raise maxmemory"):
        send_text.delay(TEXT)


def test_a_person_must_act_on_a_password_and_on_rights(server: Valkey) -> None:
    with admin(server) as client:
        client.execute_command("ACL", "SETUSER", "few", "on", ">secret-word", "~*", "+@all", "-@scripting")
    for user, word in (
        ("few:secret-word", "NOPERM"),
        ("few:mistyped", "WRONGPASS"),
        ("nobody:x", "WRONGPASS"),
    ):
        interakt_jobs.configure(server.url.replace("//", f"//{user}@"))
        for call in every_call():
            with pytest.raises(LedgerRefused) as raised:
                call()
            assert raised.value.word == word
            assert "secret-word" not in str(raised.value) and "mistyped" not in str(raised.value)


def test_a_missing_password_is_named(tmp_path: Path) -> None:
    with Valkey(directory=str(tmp_path)) as own:
        RedisClient(own.url).command("CONFIG", "SET", "requirepass", "secret-word")
        with pytest.raises(LedgerRefused, match="wants a password"):
            RedisClient(own.url).command("PING")


def test_too_many_clients_pass(tmp_path: Path) -> None:
    with Valkey(directory=str(tmp_path)) as own, admin(own) as client:
        client.config_set("maxclients", 1)
        with pytest.raises(LedgerUnreachable, match="raise maxclients") as raised:
            RedisClient(own.url).command("PING")
        assert not isinstance(raised.value, LedgerRefused)


@pytest.mark.parametrize("url", ["http://127.0.0.1/0", "nonsense", "redis://127.0.0.1:port/0"])
def test_a_url_that_is_none_is_told_without_its_text(url: str) -> None:
    interakt_jobs.configure(url)
    with pytest.raises(NotConfigured) as raised:
        send_text.delay(TEXT)
    assert url not in str(raised.value)


@pytest.mark.parametrize(
    "raw", ["2|send_text|normal", "=done|send_text", "=done|a|b|c|d|e|f|g|h|i", "", "\xff\n\n{"]
)
def test_a_record_that_is_none_is_named_by_its_job(server: Valkey, raw: str) -> None:
    job = send_text.delay(TEXT)
    with admin(server) as client:
        client.set(f"{prefix('default')}j:{job.job_key}", raw)
    for call in (job.read, lambda: job.status, lambda: job.get(timeout=60)):
        with pytest.raises(LedgerDamaged, match=job.job_key):
            call()
    with admin(server) as client:
        client.flushall()


@pytest.mark.parametrize("key", ["ready:normal", "state", "count", "signal"])
def test_a_key_of_another_type_stops_no_producer(server: Valkey, key: str) -> None:
    with admin(server) as client:
        client.flushall()
        client.set(f"{prefix('default')}{key}", "somebody's")
        assert send_text.delay(TEXT).read().state == "ready"
        place = client.hget(f"{prefix('default')}aside", key).split()[1]
        assert client.get(place) == b"somebody's"
        client.flushall()


def test_every_class_of_redis_py_has_a_meaning() -> None:
    said: dict[type[Exception], str] = {
        redis.exceptions.ClusterCrossSlotError: "CROSSSLOT",
        redis.exceptions.ClusterDownError: "CLUSTERDOWN",
        redis.exceptions.MasterDownError: "MASTERDOWN",
        redis.exceptions.TryAgainError: "TRYAGAIN",
        redis.exceptions.ExecAbortError: "EXECABORT",
        redis.exceptions.NoScriptError: "NOSCRIPT",
        redis.exceptions.BusyLoadingError: "LOADING",
        redis.exceptions.ReadOnlyError: "READONLY",
        redis.exceptions.OutOfMemoryError: "OOM",
        redis.exceptions.TimeoutError: "TIMEOUT",
        redis.exceptions.ConnectionError: "CONNECTION",
        ConnectionResetError: "CONNECTION",
    }
    for kind, word in said.items():
        fault = explain(kind("something"))
        assert fault.word == word and fault.found and fault.fix
    assert not explain(redis.exceptions.MovedError("7 127.0.0.1:1")).later


def test_an_unknown_answer_is_a_persons_matter_and_shows_no_argument() -> None:
    fault = explain(redis.ResponseError("unknown command 'X', with args beginning with: '919999999999'"))
    assert not fault.later and "9999999999" not in str(fault)
