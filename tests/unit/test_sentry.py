"""What would be sent to Sentry, caught at its transport: no key, no phone number, no payload value."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import sentry_sdk
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from config.settings import load
from worker.interakt.errors import Refused
from worker.telemetry import sentry

JOB = "ij1.default.0192f3a4b5c6d7e8f901234567890123"
KEY = "c2VjcmV0LXRva2VuOg=="
PHONE, NAME = "9999999999", "Asha Rao"
PAYLOAD = {"countryCode": "+91", "phoneNumber": PHONE, "data": {"message": f"Hello {NAME}"}}


class Catcher(Transport):
    def __init__(self) -> None:
        super().__init__({"dsn": "https://k@sentry.invalid/1"})
        self.sent: list[dict[str, Any]] = []
        self.raw = ""

    def capture_envelope(self, envelope: Envelope) -> None:
        for item in envelope.items:
            self.raw += item.get_bytes().decode()
            if item.payload.json is not None:
                self.sent.append(dict(item.payload.json))


@pytest.fixture
def catcher() -> Iterator[Catcher]:
    found = Catcher()
    settings = load({"INTERAKT_API_KEY": KEY, "SENTRY_DSN": "https://k@sentry.invalid/1"})
    sentry.start(settings, transport=found)
    yield found
    sentry_sdk.get_client().close()
    sentry_sdk.get_global_scope().set_client(None)
    sentry._on = False


def send(payload: dict[str, Any]) -> None:
    headers = {"Authorization": f"Basic {KEY}"}
    raise ValueError(f"cannot send {payload} with {headers}")


def clean(catcher: Catcher) -> None:
    assert catcher.sent
    for word in (PHONE, NAME, "Asha", "Hello", KEY, "secret-token", "+91"):
        assert word not in catcher.raw


def test_an_attempt_is_reported_with_its_ids_as_tags(catcher: Catcher) -> None:
    error = Refused(f"Wallet of {PHONE} is empty, see 'Hello {NAME}'", 400, "account")
    sentry.capture("refused", "send_text", JOB, 3, "default", error)
    clean(catcher)
    event = catcher.sent[0]
    tags = {"kind": "refused", "operation": "send_text", "job": JOB, "attempt": "3", "account": "default"}
    assert event["tags"] == {**tags, "outcome": "refused", "scope": "account", "status": "400"}
    assert event["exception"]["values"][0]["type"] == "Refused"
    assert event["exception"]["values"][0]["value"] == "Wallet of [hidden] is empty, see [hidden]"


def test_an_alarm_without_an_exception_is_a_message(catcher: Catcher) -> None:
    sentry.capture("silence", "", "", 0, "default")
    assert catcher.sent[0]["message"] == "interakt: silence: default"


def test_an_unexpected_exception_tells_its_type_and_place_only(catcher: Catcher) -> None:
    try:
        send(PAYLOAD)
    except ValueError as error:
        wrapped = RuntimeError(f"job for {NAME}")
        wrapped.__cause__ = error
        sentry_sdk.capture_exception(wrapped)
    clean(catcher)
    values = catcher.sent[0]["exception"]["values"]
    assert [value["type"] for value in values] == ["ValueError", "RuntimeError"]
    assert values[0]["stacktrace"]["frames"][-1]["function"] == "send"
    assert "vars" not in json.dumps(values)


def test_a_log_keeps_what_the_programmer_wrote(catcher: Catcher) -> None:
    try:
        send(PAYLOAD)
    except ValueError:
        logging.getLogger("celery.app.trace").exception(
            "Task %s raised: %r", JOB, PAYLOAD, extra={"data": PAYLOAD}
        )
    logging.getLogger("celery.app.trace").error(f"interpolated {NAME} {PHONE}")
    logging.getLogger("worker.x").error(
        "stopped for %s", NAME, extra={"action": "stopped", "job": JOB, "name_": NAME}
    )
    clean(catcher)
    assert [event["logentry"]["message"] for event in catcher.sent] == [
        "Task %s raised: %r",
        "[hidden]",
        "stopped for %s",
    ]
    assert catcher.sent[2]["extra"] == {"action": "stopped", "job": JOB}


def test_messages_breadcrumbs_scopes_and_requests_are_rebuilt(catcher: Catcher) -> None:
    with sentry_sdk.new_scope() as scope:
        scope.set_user({"id": PHONE, "username": NAME})
        scope.set_context("payload", PAYLOAD)
        scope.set_extra(
            "celery-job", {"task_name": "interakt.send_text", "args": [PAYLOAD], "kwargs": PAYLOAD}
        )
        scope.set_tag("recipient", PHONE)
        scope.add_attachment(bytes=NAME.encode(), filename="x")
        scope.add_event_processor(lambda event, _: {**event, "request": {"url": PHONE, "data": PAYLOAD}})
        sentry_sdk.add_breadcrumb(
            message=f"sent to {PHONE}",
            category="http",
            data={"url": f"https://x/{PHONE}", "status_code": 200},
        )
        sentry_sdk.add_breadcrumb(message=f"SET {NAME}", category="redis", data={"redis.key": PHONE})
        sentry_sdk.capture_message(f"hello {NAME} {PHONE} {KEY}")
    clean(catcher)
    event = catcher.sent[0]
    assert event["message"] == "[hidden]"
    assert [crumb["category"] for crumb in event["breadcrumbs"]["values"]] == ["http", "redis"]
    assert event["breadcrumbs"]["values"][0]["data"] == {"status_code": 200}
    assert {"request", "user"}.isdisjoint(event)


def test_transactions_keep_operations_and_times_only(catcher: Catcher) -> None:
    sentry_sdk.get_client().options["traces_sample_rate"] = 1.0
    with sentry_sdk.start_transaction(name="interakt.send_text", op="queue.task") as transaction:
        transaction.set_data("messaging.payload", PAYLOAD)
        with sentry_sdk.start_span(op="db.redis", name=f"SET p:{PHONE} {NAME}") as span:
            span.set_data("redis.key", PHONE)
        with sentry_sdk.start_span(op="http.client", name=f"POST https://x/{PHONE}?n={NAME}"):
            pass
    clean(catcher)
    event = catcher.sent[0]
    assert event["transaction"] == "interakt.send_text"
    assert [span["description"] for span in event["spans"]] == ["SET", "POST"]


def test_logs_and_metrics_of_sentry_are_not_sent(catcher: Catcher) -> None:
    sentry_sdk.logger.error(f"x {NAME}")
    sentry_sdk.metrics.count("sends", 1, attributes={"to": PHONE})
    sentry_sdk.flush()
    assert NAME not in catcher.raw
    assert PHONE not in catcher.raw


def test_without_a_dsn_sentry_is_not_even_imported() -> None:
    code = (
        "import sys\n"
        "from config.settings import load\n"
        "from worker.telemetry import sentry\n"
        "sentry.start(load({'INTERAKT_API_KEY': 'x'}))\n"
        "sentry.capture('unknown', 'send_text', 'ij1.default.x', 1, 'default', ValueError('x'))\n"
        "sys.exit('sentry_sdk' in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
