"""What a connection to the web process may take: time, and the place of others."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import pytest
import uvicorn

from tests.waiting import until
from worker.web import connections
from worker.webhooks.receiver import Receive, Scope, Send

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"
ENDED: Counter[str] = Counter()


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads the body to its end and answers 200; ``/early`` is answered before, ``/never`` not at all."""
    message = {"type": "http.request", "more_body": True}
    while scope["path"] != "/early" and message["type"] == "http.request" and message["more_body"]:
        message = dict(await receive())
    if scope["path"] == "/never":
        await asyncio.sleep(3600)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


class Server(NamedTuple):
    uvicorn: uvicorn.Server
    port: int


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that gives a request a fifth of a second, and holds 20 connections."""
    monkeypatch.setattr(connections, "REQUEST_SECONDS", 0.2)
    monkeypatch.setattr(connections, "CONNECTIONS", 20)
    ENDED.clear()
    protocol = connections.bounded(lambda: ENDED.update(["ended"]))
    options = uvicorn.Config(
        echo,
        loop="uvloop",
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=0,
    )
    running = uvicorn.Server(options)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
        thread.start()
        until(lambda: running.started)
        yield Server(running, listening.getsockname()[1])
        running.should_exit = True
        thread.join(30)


def connect(port: int, data: bytes) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port), 30)
    sock.sendall(data)
    return sock


@pytest.mark.parametrize(
    "half",
    [b"", b"\r\n", b"PO", HEAD, HEAD + b"Content-Length: 2\r\n\r\n1", b"GET /never HTTP/1.1\r\n\r\n"],
)
def test_what_does_not_come_in_time_or_is_not_answered_is_closed(server: Server, half: bytes) -> None:
    with connect(server.port, half) as sock, contextlib.suppress(ConnectionResetError):
        assert sock.recv(1000) == b""
    assert ENDED["ended"] == 1


def test_a_body_that_drips_after_the_answer_is_closed_too(server: Server) -> None:
    with (
        connect(server.port, b"POST /early HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n") as sock,
        pytest.raises(OSError, match=r"reset|pipe"),
    ):
        for _ in range(1_000_000):
            sock.sendall(b"x")
            time.sleep(0.01)
    assert ENDED["ended"] == 1


def test_a_connection_that_was_answered_may_ask_again_when_it_likes(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "REQUEST_SECONDS", 3600)
    with connect(server.port, b"") as sock:
        for _ in range(3):
            sock.sendall(HEAD + b"Content-Length: 2\r\n\r\n12")
            assert sock.recv(1000).endswith(b"ok")
            (connection,) = server.uvicorn.server_state.connections
            until(lambda: connection._timer.cancelled())  # noqa: B023
    assert not ENDED


def test_the_longest_waiting_gives_way_and_the_one_that_is_served_does_not(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "REQUEST_SECONDS", 3600)
    served = connect(server.port, b"GET /never HTTP/1.1\r\n\r\n")
    held = [connect(server.port, HEAD) for _ in range(30)]
    with connect(server.port, HEAD + b"Content-Length: 2\r\n\r\n12") as sock:
        assert sock.recv(1000).endswith(b"ok")
    until(lambda: ENDED["ended"] == 12)
    for closed in held[:12]:
        with contextlib.suppress(ConnectionResetError):
            assert closed.recv(1) == b""
    held[-1].sendall(b"Content-Length: 2\r\n\r\n12")
    assert held[-1].recv(1000).endswith(b"ok")
    served.setblocking(False)
    with pytest.raises(BlockingIOError):
        served.recv(1)
    for sock in (served, *held):
        sock.close()
