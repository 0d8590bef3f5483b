"""Log lines: one JSON object each, with ids and never with payloads."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from worker.interakt.errors import Refused
from worker.telemetry.logs import JsonFormatter, TextFormatter

JOB = "ij1.default.0192f3a4b5c6d7e8f901234567890123"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    loggers = [logging.getLogger("worker.test"), logging.getLogger("someone.else")]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
        logger.propagate = False
    yield stream
    for logger in loggers:
        logger.removeHandler(handler)


def only(lines: io.StringIO) -> dict[str, Any]:
    text = lines.getvalue()
    assert text.count("\n") == 1
    found: dict[str, Any] = json.loads(text)
    return found


def test_a_line_has_time_level_action_and_the_ids(lines: io.StringIO) -> None:
    extra = {"action": "attempt_failed", "job": JOB, "operation": "send_text", "attempt": 2, "status": None}
    logging.getLogger("worker.test").warning("attempt failed", extra=extra)
    line = only(lines)
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "warning",
        "logger": "worker.test",
        "message": "attempt failed",
        "action": "attempt_failed",
        "job": JOB,
        "operation": "send_text",
        "attempt": 2,
    }


def test_phones_keys_and_objects_are_hidden_wherever_they_stand(lines: io.StringIO) -> None:
    extra = {
        "to": "+91 99999 99999",
        "number": 9999999999,
        "numbers": [9999999999, "9999999999"],
        "payload": {"data": "Asha"},
        "waited_ms": 123456789,
        "9999999999": "x",
    }
    logging.getLogger("worker.test").error(
        "sent to %s with Basic c2VjcmV0OmtleQ==", "9999999999", extra=extra
    )
    line = only(lines)
    assert "999" not in json.dumps(line)
    assert "c2Vj" not in json.dumps(line)
    assert "Asha" not in json.dumps(line)
    assert line["waited_ms"] == 123456789


def test_other_peoples_exceptions_are_named_but_do_not_speak(lines: io.StringIO) -> None:
    try:
        raise KeyError("Asha Rao")
    except KeyError:
        logging.getLogger("someone.else").exception("Task raised: %r", KeyError("Asha Rao"))
    line = only(lines)
    assert line["error"] == "KeyError"
    assert line["where"][-1].endswith("test_other_peoples_exceptions_are_named_but_do_not_speak")
    assert "Asha" not in json.dumps(line)


def test_our_exceptions_speak(lines: io.StringIO) -> None:
    try:
        raise Refused("Invalid token provided", 401, "account")
    except Refused:
        logging.getLogger("worker.test").exception("refused")
    assert only(lines)["error"] == "Refused: 401: Invalid token provided"


def test_a_line_stays_a_line_whatever_is_in_it(lines: io.StringIO) -> None:
    logging.getLogger("worker.test").info('a\nb\r\u2028"%s', "\ud800", extra={"x": "1\n2"})
    only(lines)


def test_a_wrong_number_of_arguments_breaks_nothing() -> None:
    record = logging.makeLogRecord({"name": "worker.x", "msg": "%s %s", "args": ("one",)})
    assert json.loads(JsonFormatter().format(record))["message"] == "%s %s"


def test_text_for_people_has_the_same_fields() -> None:
    record = logging.makeLogRecord(
        {"name": "worker.x", "levelno": 20, "levelname": "INFO", "msg": "ready", "job": JOB}
    )
    assert TextFormatter().format(record).endswith(f"INFO     ready job={JOB}")


def test_a_process_logs_json_alone_and_warns_of_unknown_settings() -> None:
    code = (
        "import logging, os\n"
        "from config.settings import load\n"
        "from worker.telemetry import logs\n"
        "from celery import Celery\n"
        "logs.start(load({'INTERAKT_API_KEY': 'tokentokentoken', 'INTERAKT_LOGLEVEL': 'x'}))\n"
        "app = Celery(set_as_current=False)\n"
        "app.log.setup(loglevel='DEBUG')\n"
        "logging.getLogger('celery').info('key tokentokentoken')\n"
        "logging.getLogger('urllib3').info('no')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, second = [json.loads(line) for line in done.stderr.splitlines()]
    assert first["message"] == "INTERAKT_LOGLEVEL is not a setting: did you mean INTERAKT_LOG_LEVEL?"
    assert (second["logger"], second["message"]) == ("celery", "key [hidden]")
