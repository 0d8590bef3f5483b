"""The HTTP client: what leaves, and what becomes of everything that can come back."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from interakt_jobs import OPERATIONS
from tests.unit.raw_server import RawServer, Script, answer
from tests.waiting import until
from worker.http.adapter import Adapter, environment, proxies_for, session
from worker.interakt.auth import authorization
from worker.interakt.client import Client, Prepared
from worker.interakt.errors import InteraktError, Refused, Unavailable, Unknown

KEY = base64.b64encode(b"topsecrettoken:").decode()
TEXT = {"countryCode": "+91", "phoneNumber": "9999999999", "type": "Text", "data": {"message": "नमस्ते"}}
OK = answer(201, b'{"result":true,"message":"queued","id":"m-1"}')


def client(url: str, deadline: float = 30.0, **options: Any) -> Client:
    options.setdefault("session", session(Adapter(pool_size=4)))
    return Client(url, KEY, deadline=deadline, proxies={}, **options)


def say(data: bytes) -> Script:
    return lambda sock, _: sock.sendall(data)


def drip(head: bytes, piece: bytes) -> Script:
    def script(sock: socket.socket, _: bytes) -> None:
        sock.sendall(head)
        while True:
            sock.sendall(piece)
            time.sleep(0.02)

    return script


def reset(sock: socket.socket, _: bytes = b"") -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


ENDLESS = (
    30  # s, what a call must be well within whose deadline is below a second and whose server takes for ever
)


def hang(sock: socket.socket, _: bytes) -> None:
    time.sleep(2 * ENDLESS)


def test_a_call_sends_the_documents_request_in_one_piece_and_reads_the_answer() -> None:
    with RawServer(say(OK)) as server:
        found = client(server.url).call("send_text", TEXT)
    assert (found.status, found.id, found.message) == (201, "m-1", "queued")
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /v1/public/message/ HTTP/1.1"
    assert f"Authorization: Basic {KEY}" in lines
    assert "Content-Type: application/json" in lines
    assert sum(line.lower().startswith("host:") for line in lines) == 1
    assert json.loads(body) == TEXT
    assert "नमस्ते".encode() in body


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_every_operation_goes_to_its_path(operation: str) -> None:
    payload: dict[str, Any] = {"offset": 0, "limit": 1, "filters": []}
    if operation == "upload_template_media":
        pytest.skip("takes a file: see test_upload")
    with RawServer(say(OK)) as server:
        client(server.url).call(operation, payload)
    line = server.requests[0].split(b"\r\n")[0].decode()
    route = OPERATIONS[operation]
    assert line.startswith(f"{route.method} /v1/public/{route.path}")
    body = server.requests[0].partition(b"\r\n\r\n")[2]
    if operation == "list_templates":
        assert (line.split("?")[1], body) == ("offset=0&limit=1 HTTP/1.1", b"")
    elif operation == "find_users":
        assert (line.split("?")[1], json.loads(body)) == ("offset=0&limit=1 HTTP/1.1", {"filters": []})
    else:
        assert json.loads(body) == payload


@pytest.mark.parametrize(
    "given", [KEY, f"Basic {KEY}", f"basic  {KEY}\n", KEY.rstrip("="), "topsecrettoken", "topsecrettoken:",
              base64.b64encode(f"{KEY}:".encode()).decode()],
)  # fmt: skip
def test_the_key_is_understood_however_it_was_copied(given: str) -> None:
    assert authorization(given) == f"Basic {KEY}"


@pytest.mark.parametrize("given", ["", "  ", "Basic ", "two words", "tab\tbed", "schlüssel", "line\nbreak"])
def test_what_cannot_be_a_key_is_refused_without_showing_it(given: str) -> None:
    with pytest.raises(ValueError, match="the API key is empty or has characters") as caught:
        Client("http://127.0.0.1/", given)
    assert not given.strip() or given.strip() not in str(caught.value)


HANGS: dict[str, Script] = {
    "nothing comes": hang,
    "the status line drips": drip(b"HTTP/1.1 2", b"0"),
    "the headers drip": drip(b"HTTP/1.1 201 X\r\n", b"X-Y: z\r\n"),
    "the interim answers do not end": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}
SPOILED: dict[str, Script] = {
    "the body drips": drip(b"HTTP/1.1 201 X\r\nContent-Length: 100000\r\n\r\n", b"x"),
    "the chunks do not end": drip(b"HTTP/1.1 201 X\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "the body has no end": drip(b"HTTP/1.1 201 X\r\n\r\n", b"x" * 10_000),
    "the body is too large": say(answer(201, b" " * 2_000_000)),
    "the length is a lie": say(b"HTTP/1.1 201 X\r\nContent-Length: 999999999999\r\n\r\n{}"),
    "the body breaks off": lambda sock, _: (sock.sendall(OK[:-5]), sock.close())[1],
    "the chunks are none": say(b"HTTP/1.1 201 X\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "it is no JSON": say(answer(201, b"<html>")),
    "it is compressed all the same": say(answer(201, b"\x1f\x8b\x08\x00", "Content-Encoding: gzip")),
    "there is no answer": lambda sock, _: sock.close(),
    "the connection is reset": reset,
    "it is no HTTP": say(b"SSH-2.0-OpenSSH_9.0\r\n\r\n"),
    "the headers are too many": say(b"HTTP/1.1 201 X\r\n" + b"a: b\r\n" * 200 + b"\r\n"),
    "a header is too long": say(b"HTTP/1.1 201 X\r\na: " + b"b" * 100_000 + b"\r\n\r\n"),
}


@pytest.mark.parametrize("what", [*HANGS, *SPOILED])
def test_whatever_goes_wrong_after_the_request_left_is_unknown_and_in_time(what: str) -> None:
    deadline = 0.8
    with RawServer((HANGS | SPOILED)[what]) as server:
        began = time.monotonic()
        with pytest.raises(Unknown):
            client(server.url, deadline).call("send_text", TEXT)
        assert time.monotonic() - began < ENDLESS
        with pytest.raises(Unavailable):
            client(server.url, deadline).call("track_user", {})


@pytest.mark.parametrize("status", [100, 101, 102, 103, 199])
def test_what_comes_before_the_answer_is_read_past(status: int) -> None:
    early = f"HTTP/1.1 {status} Early\r\nLink: </a.css>; rel=preload\r\n\r\n".encode()
    with RawServer(say(early * 3 + OK)) as server:
        ours = client(server.url)
        assert [ours.call("send_text", TEXT).id for _ in range(2)] == ["m-1", "m-1"]
        assert server.connections == 1, "the connection is as good as before"


@pytest.mark.parametrize("status", [100, 103])
def test_an_endless_row_of_interim_answers_is_cut_off(status: int) -> None:
    row = f"HTTP/1.1 {status} X\r\n\r\n".encode() * 10_000
    with RawServer(say(row)) as server, pytest.raises(Unknown, match="no answer"):
        client(server.url, deadline=600).call("send_text", TEXT)


def test_a_body_that_hangs_keeps_what_the_status_says() -> None:
    script = drip(b"HTTP/1.1 429 X\r\nRetry-After: 7\r\nContent-Length: 9999\r\n\r\n", b"x")
    with RawServer(script) as server, pytest.raises(Unavailable) as caught:
        client(server.url, 0.3).call("send_text", TEXT)
    assert (caught.value.throttled, caught.value.retry_after) == (True, 7.0)


def test_a_redirect_is_not_followed() -> None:
    script = say(answer(307, b"", "Location: http://127.0.0.1:1/"))
    with RawServer(script) as server, pytest.raises(Refused) as caught:
        client(server.url).call("send_text", TEXT)
    assert caught.value.scope == "deployment"
    assert len(server.requests) == 1


def full_listener() -> socket.socket:
    """A socket that never accepts, its backlog filled."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    for _ in range(3):
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex(listener.getsockname())
    return listener


@pytest.mark.parametrize("operation", ["send_text", "list_templates"])
def test_what_never_left_is_unavailable(operation: str) -> None:
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))
    port = closed.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}/", f"https://127.0.0.1:{port}/", "http://no-such-host.invalid/"):
        with pytest.raises(Unavailable, match="no connection"):
            client(url).call(operation, {})


def test_connecting_is_inside_the_deadline() -> None:
    listener = full_listener()
    began = time.monotonic()
    with pytest.raises(Unavailable):
        client(f"http://127.0.0.1:{listener.getsockname()[1]}/", 0.4).call("send_text", TEXT)
    assert time.monotonic() - began < ENDLESS


def test_a_tls_handshake_that_hangs_is_unavailable_in_time() -> None:
    with RawServer(drip(b"", b"\x16\x03\x03"), read=False) as server:
        began = time.monotonic()
        with pytest.raises(Unavailable):
            client(server.url.replace("http:", "https:"), 0.4).call("send_text", TEXT)
    assert time.monotonic() - began < ENDLESS


def test_a_name_server_that_hangs_is_unavailable_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_: object, **__: object) -> list[object]:
        time.sleep(2 * ENDLESS)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    began = time.monotonic()
    with pytest.raises(Unavailable):
        client("http://example.invalid/", 0.3).call("send_text", TEXT)
    assert time.monotonic() - began < ENDLESS


def test_a_full_pool_is_unavailable_in_time() -> None:
    with RawServer(hang) as server:
        one = session(Adapter(pool_size=1))
        busy = client(server.url, 2 * ENDLESS, session=one)

        def occupy() -> None:
            with contextlib.suppress(InteraktError):
                busy.call("send_text", TEXT)

        threading.Thread(target=occupy, daemon=True).start()
        until(lambda: server.requests)
        with pytest.raises(Unavailable):
            client(server.url, 0.3, session=one).call("send_text", TEXT)


def test_an_upload_that_is_not_taken_is_inside_the_deadline() -> None:
    with RawServer(lambda *_: time.sleep(2 * ENDLESS), read=False) as server:
        began = time.monotonic()
        with pytest.raises(Unknown):
            client(server.url, 0.4).call("send_text", Prepared(b"x" * 30_000_000))
    assert time.monotonic() - began < ENDLESS


def test_connections_are_kept_and_old_ones_are_not_trusted() -> None:
    with RawServer(say(OK)) as server:
        adapter = Adapter(idle_seconds=600)
        ours = client(server.url, session=session(adapter))
        for _ in range(3):
            ours.call("send_text", TEXT)
        assert server.connections == 1
        adapter.idle_seconds = 0
        ours.call("send_text", TEXT)
        assert server.connections == 2


def test_a_servers_own_keep_alive_time_is_respected() -> None:
    with RawServer(say(answer(201, b"{}", "Keep-Alive: timeout=1, max=100"))) as server:
        ours = client(server.url)
        ours.call("send_text", TEXT)
        time.sleep(0.05)
        ours.call("send_text", TEXT)
        assert server.connections == 2


def test_a_kept_connection_that_the_server_closed_is_replaced() -> None:
    closed = threading.Event()

    def once(sock: socket.socket, _: bytes) -> None:
        sock.sendall(OK)
        sock.close()
        closed.set()

    with RawServer(once) as server:
        ours = client(server.url)
        ours.call("send_text", TEXT)
        assert closed.wait(30)
        assert ours.call("send_text", TEXT).id == "m-1"
        assert server.connections == 2


def test_a_connection_that_failed_is_not_used_again() -> None:
    turn: list[Script] = [reset, say(OK)]
    with RawServer(lambda sock, request: turn.pop(0)(sock, request)) as server:
        ours = client(server.url, session=session(Adapter(pool_size=1)))
        with pytest.raises(Unknown):
            ours.call("send_text", TEXT)
        assert ours.call("send_text", TEXT).id == "m-1"


class Stale(Exception):
    pass


def test_the_hook_runs_when_connected_and_what_it_raises_sends_nothing_and_keeps_the_connection() -> None:
    def stale() -> None:
        raise Stale

    with RawServer(say(OK)) as server:
        ours = client(server.url, session=session(Adapter(pool_size=1)))
        for _ in range(3):
            with pytest.raises(Stale):
                ours.call("send_text", TEXT, before_write=stale)
        seen: list[int] = []
        ours.call("send_text", TEXT, before_write=lambda: seen.append(len(server.requests)))
        assert (seen, server.connections, len(server.requests)) == ([0], 1, 1)


def test_the_hook_does_not_run_without_a_connection() -> None:
    called: list[int] = []
    with pytest.raises(Unavailable):
        client("http://127.0.0.1:1/").call("send_text", TEXT, before_write=lambda: called.append(1))
    assert not called


def chain(error: BaseException) -> str:
    text = "".join(traceback.format_exception(error)) + repr(error) + str(vars(error))
    assert error.__context__ is None
    assert error.__cause__ is None
    return text


@pytest.mark.parametrize(
    "script", [say(answer(401, b'{"message":"Invalid token provided"}')), reset, say(answer(500, b""))]
)
def test_the_key_is_in_no_error_and_no_repr(script: Script) -> None:
    with RawServer(script) as server:
        ours = client(server.url)
        with pytest.raises(InteraktError) as caught:
            ours.call("send_text", TEXT)
    shown = chain(caught.value) + repr(ours) + str(ours)
    assert KEY not in shown
    assert "topsecrettoken" not in shown
    assert "9999999999" not in shown


def test_what_is_no_json_is_refused_before_it_is_sent() -> None:
    ours = client("http://127.0.0.1:1/")
    for payload in ({"x": float("nan")}, {"x": "\ud800"}, {"x": {1}}):
        with pytest.raises((ValueError, TypeError)):
            ours.prepare("send_text", payload)
    with pytest.raises(KeyError):
        ours.prepare("send_nothing", {})


def test_the_query_cannot_be_broken_out_of() -> None:
    prepared = client("http://127.0.0.1:1/").prepare(
        "list_templates", {"offset": "0&x=1 HTTP/1.1\r\nA: b", "limit": 1}
    )
    assert prepared.query == "?offset=0%26x%3D1+HTTP%2F1.1%0D%0AA%3A+b&limit=1"


def test_many_threads_share_a_client() -> None:
    found: list[str | None] = []
    with RawServer(say(OK)) as server:
        ours = client(server.url, session=session(Adapter(pool_size=8)))

        def work() -> None:
            found.extend(ours.call("send_text", TEXT).id for _ in range(20))

        threads = [threading.Thread(target=work) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert server.connections <= 8
    assert found == ["m-1"] * 320


def test_a_forked_child_uses_connections_of_its_own() -> None:
    with RawServer(say(OK)) as server:
        ours = Client(server.url, KEY, proxies={})
        ours.call("send_text", TEXT)
        pid = os.fork()
        if pid == 0:
            os._exit(0 if ours.call("send_text", TEXT).id == "m-1" else 1)
        assert os.waitpid(pid, 0)[1] == 0
        assert server.connections == 2


def test_proxies_of_the_environment_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer(say(OK)) as proxy:
        monkeypatch.setenv("http_proxy", f"http://user:pass@127.0.0.1:{proxy.port}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        environment.cache_clear()
        ours = Client("http://interakt.invalid/v1/public/", KEY, session=session())
        monkeypatch.delenv("http_proxy")
        assert ours.call("send_text", TEXT).id == "m-1"
    head = proxy.requests[0].decode()
    assert head.startswith(
        "POST http://interakt.invalid/v1/public/message/ HTTP/1.1\r\nHost: interakt.invalid\r\n"
    )
    assert f"Proxy-Authorization: Basic {base64.b64encode(b'user:pass').decode()}" in head


class Counted(dict[str, str]):
    """An environment that counts how often it is gone through."""

    rounds = 0

    def items(self) -> Any:
        self.rounds += 1
        return super().items()


def test_the_environment_is_gone_through_once_for_any_number_of_accounts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = Counted(http_proxy="http://127.0.0.1:9", **{f"OTHER_{n}": "x" for n in range(100)})
    monkeypatch.setattr("os.environ", found)
    environment.cache_clear()
    Client("http://interakt.invalid/", KEY)
    first = found.rounds
    for account in range(50):
        Client(f"http://{account}.invalid/v1/public/", KEY)
    assert 0 < first == found.rounds


@pytest.mark.parametrize(
    ("no_proxy", "url", "proxied"),
    [
        ("", "http://api.invalid/", True),
        ("*", "http://api.invalid/", False),
        ("api.invalid", "http://api.invalid/v1/", False),
        (".invalid, other", "http://api.invalid:8900/v1/", False),
        ("api.invalid:8900", "http://api.invalid:8900/v1/", False),
        ("api.invalid:8901", "http://api.invalid:8900/v1/", True),
        ("10.0.0.0/8", "http://10.1.2.3:8900/v1/", False),
        ("10.1.2.3", "http://10.1.2.3:8900/v1/", False),
        ("10.0.0.0/8", "http://11.1.2.3/v1/", True),
    ],
)
def test_no_proxy_is_obeyed(monkeypatch: pytest.MonkeyPatch, no_proxy: str, url: str, proxied: bool) -> None:
    monkeypatch.setattr("os.environ", {"http_proxy": "http://127.0.0.1:9", "no_proxy": no_proxy})
    environment.cache_clear()
    assert ("http" in proxies_for(url)) == proxied
    environment.cache_clear()


def test_a_proxy_that_does_not_open_a_tunnel_is_unavailable_in_time() -> None:
    scripts: list[Callable[[socket.socket, bytes], None]] = [
        say(answer(403, b"no")),
        drip(b"HTTP/1.1 2", b"0"),
    ]
    for script in scripts:
        with RawServer(script) as proxy:
            proxies = {"https": f"http://127.0.0.1:{proxy.port}"}
            ours = Client("https://interakt.invalid/", KEY, deadline=0.4, session=session(), proxies=proxies)
            began = time.monotonic()
            with pytest.raises(Unavailable):
                ours.call("send_text", TEXT)
            assert time.monotonic() - began < ENDLESS
            assert b"Basic " not in proxy.requests[0]
            assert proxy.requests[0].startswith(b"CONNECT interakt.invalid:443 ")


def test_importing_the_client_starts_nothing() -> None:
    code = "import threading, worker.interakt.client; assert threading.active_count() == 1"
    subprocess.run([sys.executable, "-c", code], check=True)
