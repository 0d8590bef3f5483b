"""When Interakt repeats what it was sent, none of it is kept, listed, logged or told."""

from __future__ import annotations

import base64
import functools
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from interakt_jobs.job import outcome
from interakt_jobs.ledger.redis_client import RedisClient
from tests.unit.raw_server import RawServer, answer
from worker.delivery import alarms
from worker.delivery.attempt import Attempt, RetryPolicy
from worker.delivery.runner import Delivery
from worker.dispatch.heartbeat import Heartbeat
from worker.interakt.client import Client
from worker.ledger.dead_letters import DeadLetters
from worker.ledger.work_ledger import WorkLedger

KEY = base64.b64encode(b"the-token-of-this-test:").decode()
CODE, MAIL, NAME = "739154", "asha.k@example.com", "Asha"
PAYLOAD: dict[str, Any] = {
    "countryCode": "+91",
    "phoneNumber": "9999999999",
    "type": "Template",
    "template": {"name": "auth_code", "languageCode": "en", "bodyValues": [NAME, CODE, MAIL]},
}
ECHO = f"bad request by {KEY}: {json.dumps(PAYLOAD['template'])} {MAIL.upper()} {CODE}"


@pytest.mark.parametrize("status", [400, 401, 500, 503])
def test_it_is_nowhere(
    link: RedisClient,
    ledger: WorkLedger,
    accept: Callable[..., str],
    caplog: pytest.LogCaptureFixture,
    status: int,
) -> None:
    caplog.set_level(logging.DEBUG)
    body = json.dumps({"result": False, "message": ECHO}).encode()
    job_key = accept("send_template", json.dumps(PAYLOAD), repeat="never", max_attempts=1)
    ledger.release("dispatcher", {"normal": 1})
    attempt = Attempt(
        RetryPolicy(base=1, cap=9),
        keep_seconds=9,
        on_error=functools.partial(alarms.attempt_failed, f"account-{status}"),
    )
    with RawServer(lambda sock, _: sock.sendall(answer(status, body))) as server:
        client = Client(server.url, KEY, proxies={})
        assert (
            Delivery(ledger, client, attempt, Heartbeat(link, lease_seconds=30), False).deliver([job_key])
            == 1
        )
    reading = ledger.read(job_key)
    shown = [reading.error, reading.log, outcome("ij1.default.x", reading), caplog.text]
    shown += [record.__dict__ for record in caplog.records]
    shown += [*DeadLetters(ledger).find()]
    shown += link.command("HGETALL", f"{ledger.prefix}state")
    told = repr(shown)
    assert "bad request by [hidden]" in told
    for secret in (CODE, MAIL, MAIL.upper(), KEY, "the-token-of-this-test"):
        assert secret not in told
