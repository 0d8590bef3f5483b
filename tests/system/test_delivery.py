"""From ``.delay()`` to the sandbox's record of the call and back, through a real worker."""

from __future__ import annotations

import json
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from redis import Redis

import interakt_jobs
from examples.demo.plan import document_items
from interakt_jobs import Job, JobDead, send_auth_template, send_template, send_text, track_user
from interakt_jobs.ledger import keys
from interakt_jobs.ledger.keys import CELERY, prefix
from sandbox.stack import Stack
from tests.waiting import until

TEXT = {"countryCode": "+91", "phoneNumber": "9999999999", "type": "Text", "data": {"message": "Hello"}}


def body_of(stack: Stack, job: Job) -> dict[str, Any]:
    calls = [call for call in stack.sandbox.calls(bodies=True) if call["job"] == job.id]
    assert len(calls) == 1, calls
    body: dict[str, Any] = calls[0]["body"]
    return body


@pytest.mark.parametrize("item", document_items(), ids=lambda item: item.label)
def test_each_example_of_the_document_is_what_reaches_the_wire(stack: Stack, item: Any) -> None:
    before = len(stack.sandbox.calls())
    job = interakt_jobs.OPERATIONS[item.operation].delay(item.payload)
    answer = job.get(timeout=60)
    assert 200 <= answer["status"] < 300
    (call,) = stack.sandbox.calls(bodies=True)[before:]
    if call["body"] is None:
        assert call["operation"] == "list_templates"
        assert len(answer["data"]["results"]["templates"]) >= 7
        return
    if item.operation.startswith("send_") and "rcs" not in item.operation:
        assert call["body"].pop("callbackData") == job.id
    assert call["body"] == item.payload


def test_a_callers_callback_data_travels_behind_our_id(stack: Stack) -> None:
    job = send_text.delay({**TEXT, "callbackData": "order 7"})
    assert job.get(timeout=60)["callbackData"] == "order 7", "the caller gets back what he gave"
    assert body_of(stack, job)["callbackData"] == f"{job.id}|order 7"
    long = send_text.delay({**TEXT, "callbackData": "x" * 500})
    assert long.get(timeout=60)["callbackData"] == "x" * 500
    assert body_of(stack, long)["callbackData"] == long.id


def test_what_our_check_or_interakt_refuses_is_a_dead_letter_with_its_reason(stack: Stack) -> None:
    wrong = send_text.delay({**TEXT, "phoneNumber": "123"})
    with pytest.raises(JobDead) as dead:
        wrong.get(timeout=60)
    assert dead.value.reason == "invalid_payload"
    assert "phoneNumber" in dead.value.error
    assert "123" not in dead.value.error
    (line,) = until(
        lambda: [line for line in stack.lines("worker", "job_refused") if line["job"] == wrong.id]
    )
    assert (line["reason"], line["operation"]) == ("invalid_payload", "send_text")
    assert "phoneNumber" in line["error"]
    stranger = send_text.delay({**TEXT, "phoneNumber": "9888888888"})
    with pytest.raises(JobDead) as dead:
        stranger.get(timeout=60)
    assert (dead.value.reason, dead.value.attempts[0]["status"]) == ("rejected", 400)


def test_what_whatsapp_is_likely_to_refuse_is_logged_once_and_sent(stack: Stack) -> None:
    template = {"name": "welcome_message", "languageCode": "en", "bodyValues": ["John   Doe"]}
    payload = {"countryCode": "+91", "phoneNumber": "9999999999", "type": "Template", "template": template}
    for job in [send_template.delay(payload) for _ in range(3)]:
        assert job.get(timeout=60)["status"] < 300
    assert stack.tail("worker", 100_000).count("template.bodyValues[0]: has three spaces in a row") == 1


def test_a_server_error_is_tried_again_where_that_does_no_harm(stack: Stack) -> None:
    stack.sandbox.faults(share_500=1.0, times=2)
    job = track_user.delay({"phoneNumber": "9999999999", "countryCode": "+91", "traits": {"name": "J"}})
    assert job.get(timeout=60)["status"] == 202
    assert job.read().attempts == 3


def test_an_answer_that_was_lost_leaves_a_bulk_send_to_a_person(stack: Stack) -> None:
    stack.sandbox.faults(accept_lose_answer=1.0, times=1)
    job = send_text.delay(TEXT, lane="bulk")
    with pytest.raises(JobDead) as dead:
        job.get(timeout=60)
    assert dead.value.reason == "unknown_outcome"
    assert stack.sandbox.jobs()[job.id] == (1, 1)


def test_an_otp_goes_through_the_urgent_lane_and_expires(stack: Stack) -> None:
    template = {
        "name": "auth_one_tap_code",
        "languageCode": "en",
        "bodyValues": ["77"],
        "buttonValues": {"0": ["77"]},
    }
    job = send_auth_template.delay({"countryCode": "+91", "phoneNumber": "9999999999", "template": template})
    job.get(timeout=60)
    assert job.read().lane == "urgent"
    late = send_auth_template.delay(
        {"countryCode": "+91", "phoneNumber": "9999999999", "template": template}, countdown=1, expires=0
    )
    with pytest.raises(JobDead) as dead:
        late.get(timeout=60)
    assert dead.value.reason == "expired"


def test_a_message_published_by_name_is_accepted_once_however_often_it_comes(stack: Stack) -> None:
    other = Celery("other", broker=stack.valkey.url, set_as_current=False)
    other.conf.broker_transport_options = {"global_keyprefix": CELERY}
    identity = str(uuid.uuid4())
    for _ in range(3):
        other.send_task("interakt.send_text", args=[TEXT], queue="intake", task_id=identity)
    job = Job(f"ij1.default.{identity.replace('-', '')}")
    with Redis.from_url(stack.valkey.url) as redis:
        until(
            lambda: redis.exists(f"{prefix('default')}j:{job.job_key}") and not redis.llen(f"{CELERY}intake")
        )
    job.get(timeout=60)
    time.sleep(0.5)
    assert stack.sandbox.jobs()[job.id] == (1, 1)


POISON = {
    "not JSON": b"hello",
    "bad UTF-8": b"\xff\xfe{}",
    "a JSON scalar": b"42",
    "no envelope": b'{"x": 1}',
    "null": b"null",
    "a list": b"[1, 2]",
    "body is not args, kwargs, embed": {"body": "e30=", "task": "interakt.wake"},
    "body is not JSON": {"body": "aGVsbG8=", "task": "interakt.wake"},
    "body is not base64": {"body": "%%%", "task": "interakt.wake"},
    "no task header": {"body": "W1tdLHt9LHt9XQ==", "task": None},
    "an unknown task": {"body": "W1tdLHt9LHt9XQ==", "task": "os.system"},
    "another content type": {
        "body": "W1tdLHt9LHt9XQ==",
        "task": "interakt.wake",
        "content": "application/x-python-serialize",
    },
    "null arguments": {"body": "W251bGwse30se31d", "task": "interakt.wake"},
    "wrong arguments": {"body": "W1sxXSx7fSx7fV0=", "task": "interakt.wake"},
    "deeply nested": b"[" * 100_000,
    "a megabyte": b'"' + b"x" * 1_100_000 + b'"',
}


def poison(kind: str) -> bytes:
    found = POISON[kind]
    if isinstance(found, bytes):
        return found
    headers = {"id": "x1"} | ({"task": found["task"]} if found["task"] else {})
    return json.dumps(
        {
            "body": found["body"],
            "content-encoding": "utf-8",
            "content-type": found.get("content", "application/json"),
            "headers": headers,
            "properties": {"body_encoding": "base64", "delivery_tag": "1", "delivery_info": {}},
        }
    ).encode()


@pytest.mark.parametrize("kind", sorted(POISON))
def test_a_poison_message_leaves_the_worker_alive(stack: Stack, kind: str) -> None:
    pids = {name: process.pid for name, process in stack.processes.items()}
    with Redis.from_url(stack.valkey.url) as client:
        client.lpush(f"{CELERY}normal", poison(kind))
        job = send_text.delay(TEXT)
        assert job.get(timeout=60)["status"] == 201
        kept = client.xrevrange(keys.POISON, count=1)
    if kind != "wrong arguments":
        assert kept, "kept raw with its reason"
        assert kept[0][1][b"reason"]
    assert {name: process.pid for name, process in stack.processes.items() if process.poll() is None} == pids


def test_sigterm_under_load_loses_and_doubles_nothing(stack: Stack, tmp_path: Path) -> None:
    stack.sandbox.faults(latency_ms=50)
    results = list(send_text.delay_many((TEXT for _ in range(300)), lane="bulk"))
    jobs = [found.job for found in results if found.job]
    for round_ in range(3):
        stack.bulk(f"bulk{round_}")
        time.sleep(1.0)
        assert stack.end("bulk" if round_ == 0 else f"bulk{round_ - 1}") == 0
    for job in jobs:
        assert job.get(timeout=60)["status"] == 201
    record = stack.sandbox.jobs()
    assert {record[job.id] for job in jobs} == {(1, 1)}
