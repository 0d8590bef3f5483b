"""The two doors of docs/protocol.md, as the page shows them, against a real worker."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import uuid
from typing import Any

import pytest
import redis
from celery import Celery

from interakt_jobs import Job
from interakt_jobs.ledger.keys import prefix
from sandbox.stack import ROOT, Stack

PAGE = (ROOT / "docs" / "protocol.md").read_text()
TEXT = {"countryCode": "+91", "phoneNumber": "9999999999", "data": {"message": "Hello"}}
IMAGE = {
    "countryCode": "+91",
    "phoneNumber": "9999999999",
    "data": {"mediaUrl": "https://example.com/offer.jpg"},
}


def run(number: int, **names: Any) -> dict[str, Any]:
    """Run a code block of the page; gives its names."""
    block = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[number]
    exec(compile(block, "protocol.md", "exec"), names)
    return names


def test_the_strong_door_is_the_script(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    modules = {
        "subprocess": subprocess,
        "sys": sys,
        "redis": redis,
        "uuid": uuid,
        "hashlib": hashlib,
        "json": json,
    }
    names = run(0, REDIS_URL=stack.valkey.url, payload=TEXT, **modules)
    job = Job(f"ij1.default.{names['job_key']}")
    assert job.get(timeout=60)["status"] == 201
    common, recipient = names["common"], names["recipient"]
    again = [*common, names["job_key"], recipient, "", "", json.dumps(TEXT), "", ""]
    assert names["accept"]([prefix("default")], again) == [b"known"]
    assert stack.sandbox.jobs()[job.id] == (1, 1)


def test_the_recipients_hash_of_the_page_is_the_producers(stack: Stack) -> None:
    from interakt_jobs.ledger.record import recipient_of

    assert recipient_of(TEXT) == hashlib.sha256(b"919999999999").hexdigest()[:16]


def test_the_weaker_door_is_a_message_by_name(stack: Stack) -> None:
    mine = str(uuid.uuid4())
    for _ in range(2):  # a message that comes twice is one job
        run(1, REDIS_URL=stack.valkey.url, payload=IMAGE, my_id=mine, Celery=Celery)
    with redis.Redis.from_url(stack.valkey.url) as ledger:
        job_key = mine.replace("-", "")
        stack._until(lambda: ledger.exists(f"{prefix('default')}j:{job_key}"), "the job")
    job = Job(f"ij1.default.{job_key}")
    assert job.get(timeout=60)["status"] == 201
    assert stack.sandbox.jobs()[job.id] == (1, 1)
