"""Messages published by name: each is a job or is kept with its reason; none waits in a thread, none is lost."""

from __future__ import annotations

import base64
import json
import uuid
from typing import Any

import pytest
from redis import Redis

from interakt_jobs import Job, send_auth_template, send_text
from interakt_jobs.ledger.keys import CELERY, LATER, POISON, prefix
from sandbox.stack import Stack
from tests.waiting import until

TEXT = {"countryCode": "+91", "phoneNumber": "9999999999", "type": "Text", "data": {"message": "Hello"}}
CODE = {
    "name": "auth_one_tap_code",
    "languageCode": "en",
    "bodyValues": ["77"],
    "buttonValues": {"0": ["77"]},
}
OTP = {"countryCode": "+91", "phoneNumber": "9999999999", "template": CODE}
INTAKE, POISON, LATER = f"{CELERY}intake", POISON, LATER


def message(args: Any, kwargs: Any = None, identity: str = "", **headers: Any) -> bytes:
    identity = identity or uuid.uuid4().hex
    body = base64.b64encode(json.dumps([args, kwargs or {}, {}]).encode()).decode()
    return json.dumps(
        {
            "body": body,
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": {"lang": "py", "task": "interakt.send_text", "id": identity, **headers},
            "properties": {"body_encoding": "base64", "delivery_tag": identity, "delivery_info": {}},
        }
    ).encode()


HOSTILE = {
    "an eta in words": message([TEXT], eta="tomorrow"),
    "an eta that is a list": message([TEXT], eta=[1]),
    "an eta of an odd zone": message([TEXT], eta="2030-01-01T00:00:00+99:00"),
    "an expiry that is a number": message([TEXT], expires=300),
    "our own word for eta": message([TEXT], {"_eta": 5}),
    "two payloads": message([TEXT, TEXT]),
    "no payload": message([]),
    "the payload twice": message([TEXT], {"payload": TEXT}),
    "an argument self": message([TEXT], {"self": 1}),
    "a surrogate among the names": message([TEXT], {"\ud800": 1}),
    "a surrogate in on_done": message([TEXT], {"on_done": "\ud800"}),
    "a surrogate in the text": message([{**TEXT, "data": {"message": "\ud800"}}]),
    "for ever": message([TEXT], {"countdown": 1e308}),
    "an unknown account": message([TEXT], {"account": "brand_x"}),
    "an account that is a list": message([TEXT], {"account": ["x"]}),
    "an unknown option": message([TEXT], {"link": "x"}),
    "resend_on as text": message([TEXT], {"resend_on": "131049"}),
}


@pytest.mark.parametrize("kind", sorted(HOSTILE))
def test_what_cannot_be_accepted_is_kept(stack: Stack, kind: str) -> None:
    with Redis.from_url(stack.valkey.url) as redis:
        before = redis.xlen(POISON)
        redis.lpush(INTAKE, HOSTILE[kind])
        until(lambda: redis.xlen(POISON) == before + 1)
        assert not redis.keys(f"{prefix('brand_x')}*")
        assert redis.llen(LATER) == 0


def test_the_payload_may_come_by_name(stack: Stack) -> None:
    identity = uuid.uuid4().hex
    with Redis.from_url(stack.valkey.url) as redis:
        redis.lpush(INTAKE, message([], {"payload": TEXT}, identity))
        until(lambda: redis.exists(f"{prefix('default')}j:{identity}"))
    assert Job(f"ij1.default.{identity}").get(timeout=60)["status"] == 201


def test_messages_that_wait_for_memory_hold_no_thread(stack: Stack) -> None:
    identities = [uuid.uuid4().hex for _ in range(30)]
    with Redis.from_url(stack.valkey.url) as redis:

        def filled() -> bool:
            # anew at each look: what the tests before used is freed meanwhile
            redis.config_set("maxmemory", int(redis.info("memory")["used_memory"] / 0.82))
            return bool(redis.hget(f"{prefix('default')}state", "full") == b"bulk")

        until(filled)
        for identity in identities:
            redis.lpush(INTAKE, message([TEXT], {"lane": "bulk"}, identity))
        until(lambda: redis.llen(LATER) + redis.llen(INTAKE) > 20)
        assert send_auth_template.delay(OTP).get(timeout=60)["status"] == 201
        assert redis.llen(LATER) + redis.llen(INTAKE) > 20, "an OTP does not wait behind them"
        redis.config_set("maxmemory", 0)
        until(lambda: redis.exists(*[f"{prefix('default')}j:{identity}" for identity in identities]) == 30)
        assert redis.llen(LATER) == 0
    for identity in identities:
        assert Job(f"ij1.default.{identity}").get(timeout=60)["status"] == 201


def test_what_was_accepted_goes_on_at_maxmemory(stack: Stack) -> None:
    jobs = [send_text.delay(TEXT, countdown=2) for _ in range(20)]
    with Redis.from_url(stack.valkey.url) as redis:
        redis.config_set("maxmemory", int(redis.info("memory")["used_memory"] * 0.9))
        try:
            until(lambda: all(job.ready() for job in jobs))
        finally:
            redis.config_set("maxmemory", 0)
    assert {job.status for job in jobs} == {"SUCCESS"}
