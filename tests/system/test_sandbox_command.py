"""The sandbox's command line, its start and its end."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from sandbox.control import Sandbox

ROOT = Path(__file__).parent.parent.parent
SEND = {
    "phoneNumber": "9999999999",
    "type": "Template",
    "template": {"name": "welcome_message", "languageCode": "en", "bodyValues": ["John"]},
}
TEXT = {"phoneNumber": "9999999999", "type": "Text", "data": {"message": "Hi"}}


def status(port: int, body: object, key: str = Sandbox.key) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/v1/public/message/", json.dumps(body), {"Authorization": f"Basic {key}"})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def test_help_has_examples() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "sandbox", "--help"], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 0
    assert "examples:" in run.stdout
    assert "INTERAKT_BASE_URL" in run.stdout


@pytest.mark.parametrize("arguments", [["--window", "round"], ["--port", "x"], ["--calls-per-minute", "-1"]])
def test_wrong_options_end_with_status_2(arguments: list[str]) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "sandbox", *arguments], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 2
    assert "Traceback" not in run.stderr


def test_a_taken_port_is_said_clearly() -> None:
    with (
        Sandbox() as first,
        pytest.raises(RuntimeError, match=r"did not start: python -m sandbox: .* in use$"),
    ):
        Sandbox(port=first.port).start()


def test_sigterm_lets_an_answer_finish() -> None:
    with Sandbox() as sandbox:
        sandbox.faults(latency_ms=500)
        got: list[int] = []
        thread = threading.Thread(target=lambda: got.append(status(sandbox.port, SEND)))
        thread.start()
        sandbox.wait_for(lambda summary: summary["simultaneous"] == 1)
        assert sandbox.stop() == 0
        thread.join()
        assert got == [201]


def test_a_hanging_call_does_not_hold_the_end_back() -> None:
    with Sandbox() as sandbox:
        sandbox.faults(share_hang=1)
        connection = http.client.HTTPConnection("127.0.0.1", sandbox.port)
        connection.request("POST", "/v1/public/message/", "{}", {"Authorization": f"Basic {sandbox.key}"})
        sandbox.wait_for(lambda summary: summary["simultaneous"] == 1)
        start = time.monotonic()
        assert sandbox.stop() == 0
        assert time.monotonic() - start < 30
        connection.close()


def test_it_runs_without_uvloop() -> None:
    code = "import sys, runpy; sys.modules['uvloop'] = None; runpy.run_module('sandbox', run_name='__main__')"
    command = [sys.executable, "-c", code, "--port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    port = int(process.stdout.readline().rpartition(":")[2])
    assert [status(port, SEND), status(port, {})] == [201, 400]
    sandbox = Sandbox.at(f"http://127.0.0.1:{port}")
    sandbox.faults(accept_lose_answer=1)
    with pytest.raises(ConnectionResetError):
        status(port, SEND)
    assert len(sandbox.calls()) == 3
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    process.stdout.close()


def test_strict_and_relaxed_change_who_may_be_written_to() -> None:
    stranger = {**TEXT, "phoneNumber": "9999999998"}
    with Sandbox(strict=True) as sandbox:
        assert [status(sandbox.port, body) for body in (TEXT, stranger)] == [400, 400]
    with Sandbox(relaxed=True) as sandbox:
        assert [status(sandbox.port, body) for body in (TEXT, stranger)] == [201, 201]


def test_permissive_lets_unknown_templates_pass() -> None:
    unknown = {**SEND, "template": {"name": "nowhere", "languageCode": "de", "bodyValues": ["a", "b"]}}
    with Sandbox(permissive=True) as sandbox:
        assert status(sandbox.port, unknown) == 201
        assert (
            status(
                sandbox.port,
                {**SEND, "template": {"name": "welcome_message", "languageCode": "en", "bodyValues": []}},
            )
            == 400
        )


def test_only_the_named_keys_are_taken() -> None:
    keys = [Sandbox.key_for("one"), Sandbox.key_for("two")]
    with Sandbox(key=keys) as sandbox:
        assert [status(sandbox.port, SEND, key) for key in (*keys, Sandbox.key)] == [201, 201, 401]


def test_the_seeds_answers_can_be_asked_for() -> None:
    with Sandbox(answers="seed") as sandbox:
        connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=60)
        headers = {"Authorization": f"Basic {sandbox.key}"}
        connection.request(
            "POST", "/v1/public/track/users/", json.dumps({"phoneNumber": "9999999999"}), headers
        )
        answer = json.loads(connection.getresponse().read())
        assert answer["message"] == "User tracked successfully"
        assert answer["id"]
        connection.close()
