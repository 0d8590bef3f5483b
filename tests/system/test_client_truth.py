"""What the client says of a call, against what the sandbox knows of it."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from sandbox.control import Sandbox
from tests.unit.raw_server import answer
from worker.http.adapter import Adapter, session
from worker.interakt.client import Client
from worker.interakt.errors import InteraktError

REFUSING = {"reset_before_reading": 0.1, "share_503": 0.1, "share_429": 0.1, "result_false_2xx": 0.1}
DOUBTFUL = {
    "reset_after_reading": 0.1,
    "accept_lose_answer": 0.1,
    "share_500": 0.1,
    "html_502": 0.1,
    "share_hang": 0.05,
    "hang_seconds": 1.0,
    "accepted": 0.5,
}


def send(client: Client, mark: str) -> str:
    payload: dict[str, Any] = {
        "countryCode": "+91",
        "phoneNumber": "9999999999",
        "callbackData": mark,
        "type": "Template",
        "template": {"name": "welcome_message", "languageCode": "en", "bodyValues": ["John"]},
    }
    try:
        client.call("send_template", payload)
    except InteraktError as error:
        return error.outcome
    return "accepted"


def test_unavailable_and_refused_were_never_accepted_and_accepted_always_was() -> None:
    said: dict[str, str] = {}
    with Sandbox(calls_per_minute=0) as sandbox:
        sandbox.faults(REFUSING, DOUBTFUL)
        client = Client(sandbox.base_url, sandbox.key, deadline=1, session=session(), proxies={})

        def work(thread: int) -> None:
            for number in range(60):
                mark = f"ij1.default.{thread:02d}{number:030d}"
                said[mark] = send(client, mark)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        calls = sandbox.calls()
    accepted = {row["job"] for row in calls if row["accepted"]}
    counts = Counter(said.values())
    assert all(counts[outcome] > 10 for outcome in ("accepted", "refused", "unavailable", "unknown")), counts
    for mark, outcome in said.items():
        if outcome == "accepted":
            assert mark in accepted
        elif outcome != "unknown":
            assert mark not in accepted, outcome


def test_every_answer_of_the_sandbox_is_what_the_table_says() -> None:
    with Sandbox(calls_per_minute=0) as sandbox:
        client = Client(sandbox.base_url, sandbox.key, deadline=60, session=session(), proxies={})
        assert client.call("list_templates", {"offset": 0, "limit": 1}).data["results"]["templates"]
        assert client.call("find_users", {"offset": 0, "limit": 1, "filters": []}).status == 200
        for made, scope in (
            (Client(f"{sandbox.base_url}x/", sandbox.key, proxies={}), "deployment"),
            (client, "job"),
        ):
            with pytest.raises(InteraktError) as caught:
                made.call("send_text", {})
            assert caught.value.scope == scope


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs openssl to make a certificate")
    both = tmp_path / "both.pem"
    options = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    options += ["-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem")]
    subprocess.run([openssl, *options, *files], check=True, capture_output=True)
    both.write_text((tmp_path / "key.pem").read_text() + (tmp_path / "cert.pem").read_text())
    return both


def test_tls_is_verified_kept_and_inside_the_deadline(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))
    connections: list[ssl.SSLSocket] = []

    def serve() -> None:
        while True:
            try:
                sock = context.wrap_socket(listener.accept()[0], server_side=True)
            except ssl.SSLError:
                continue
            except OSError:
                return
            connections.append(sock)
            threading.Thread(target=talk, args=(sock,), daemon=True).start()

    def talk(sock: ssl.SSLSocket) -> None:
        with contextlib.suppress(OSError):
            answer_all(sock)

    def answer_all(sock: ssl.SSLSocket) -> None:
        while request := sock.recv(65536):
            if b"drip" in request:
                sock.sendall(b"HTTP/1.1 201 X\r\nContent-Length: 9999\r\n\r\n")
                for _ in range(2000):
                    time.sleep(0.05)
                    sock.sendall(b"x")
            sock.sendall(answer(201, b'{"result":true,"id":"m"}'))

    threading.Thread(target=serve, daemon=True).start()
    url = f"https://localhost:{listener.getsockname()[1]}/"
    with pytest.raises(InteraktError) as caught:
        Client(url, "key", session=session(), proxies={}).call("send_text", {})
    assert caught.value.outcome == "unavailable"

    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    kept = session(Adapter(pool_size=2))
    client = Client(url, "key", deadline=60, session=kept, proxies={})
    assert [client.call("send_text", {}).id for _ in range(3)] == ["m"] * 3
    assert len(connections) == 1
    began = time.monotonic()
    with pytest.raises(InteraktError) as caught:
        Client(url, "key", deadline=0.5, session=kept, proxies={}).call("send_text", {"message": "drip"})
    assert caught.value.outcome == "unknown"
    assert time.monotonic() - began < 30
    listener.close()
