"""Connections with a total deadline, and a pool of them for ``requests``.

``requests`` and urllib3 time each read; a server that drips bytes is never late. Here every wait on the socket, from
connecting and TLS to the last byte of the body, is for the time that is left of one deadline.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.proxy import connection_requires_http_tunnel

from .resolver import Address, Resolver

Allowed = Callable[[Address], bool]
MOST_INTERIM = 16


def left(deadline: float) -> float:
    """Seconds until ``deadline``; raises ``TimeoutError`` when it has passed."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("the deadline has passed")
    return seconds


class _Reader(io.RawIOBase):
    """Reads a socket, each time for as long as the connection's deadline leaves."""

    def __init__(self, connection: Bounded, sock: Any) -> None:
        self._connection, self._sock = connection, sock
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(left(self._connection.deadline))
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Reading:
    """What ``HTTPResponse`` needs of a socket."""

    def __init__(self, reader: _Reader) -> None:
        self._reader = reader

    def makefile(self, *_: Any) -> io.BufferedReader:
        return io.BufferedReader(self._reader)


class _Response(http.client.HTTPResponse):
    """Reads past what comes before the answer (1xx, such as 103 Early Hints): some of them, and no endless row."""

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(MOST_INTERIM + 1):
            found: tuple[str, int, str] = super()._read_status()  # type: ignore[misc]
            if found[1] >= 200:
                return found
            http.client.parse_headers(self.fp)
        raise http.client.HTTPException("too many interim answers")


class Bounded:
    """Over urllib3's connection: ``deadline`` (monotonic) bounds all of it, ``left_at`` is when it was last used."""

    deadline = 0.0
    left_at = 0.0
    keep_seconds = float("inf")
    _outgoing: list[bytes] | None = None
    # Of urllib3's connection:
    sock: Any
    host: str
    port: int
    timeout: Any
    socket_options: Any
    _dns_host: str

    def __init__(
        self, *args: Any, resolver: Resolver, allowed: Allowed | None = None, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.resolver, self.allowed = resolver, allowed

    def _new_conn(self) -> socket.socket:
        addresses = self.resolver.resolve(self._dns_host, self.port, self.deadline)
        if self.allowed is not None and not all(map(self.allowed, addresses)):
            raise PermissionError("the address is not a public one")
        problem: OSError | None = None
        for tried, address in enumerate(addresses):
            # A dead address must leave time for the others.
            seconds = left(self.deadline) / (len(addresses) - tried)
            sock = socket.socket(address.family, socket.SOCK_STREAM)
            try:
                for option in self.socket_options or ():
                    sock.setsockopt(*option)
                sock.settimeout(seconds)
                sock.connect(address.sockaddr)
                sock.settimeout(left(self.deadline))
            except OSError as error:
                sock.close()
                problem = error
            else:
                return sock
        raise problem or OSError("the name has no address")

    def response_class(self, sock: Any, *args: Any, **options: Any) -> http.client.HTTPResponse:
        return _Response(_Reading(_Reader(self, sock)), *args, **options)  # type: ignore[arg-type]

    def send(self, data: Any) -> None:
        if self._outgoing is None:
            super().send(data)  # type: ignore[misc]
        else:
            self._outgoing.append(data)

    def ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        leaving: Callable[[], None],
    ) -> http.client.HTTPResponse:
        """Send one request in one piece and read the answer's head; ``leaving`` is called as soon as bytes may have left."""
        self._outgoing = []
        try:
            # Past urllib3's own `request`, which sends head and body apart and prepares an answer of another class.
            http.client.HTTPConnection.request(self, method, url, body, headers)  # type: ignore[arg-type]
            data = b"".join(self._outgoing)
        finally:
            self._outgoing = None
        self._write(data, leaving)
        return http.client.HTTPConnection.getresponse(self)  # type: ignore[arg-type]

    def _write(self, data: bytes, leaving: Callable[[], None]) -> None:
        if not isinstance(self.sock, socket.socket) or hasattr(self.sock, "context"):
            leaving()  # TLS may have sent part of what it says it has not
        rest = memoryview(data)
        while rest:
            self.sock.settimeout(left(self.deadline))
            sent = self.sock.send(rest)
            leaving()
            rest = rest[sent:]


class _Plain(Bounded, HTTPConnection):  # type: ignore[misc]
    pass


class _Secure(Bounded, HTTPSConnection):  # type: ignore[misc]
    pass


class Taking:
    """Over urllib3's pool: lends connections that are connected and young enough to be alive."""

    # Of urllib3's pool:
    proxy: Any
    proxy_config: Any
    _get_conn: Callable[..., Any]
    _put_conn: Callable[..., Any]
    _prepare_proxy: Callable[..., Any]

    @property
    def tunnels(self) -> bool:
        """Whether a proxy gets a CONNECT, rather than the request."""
        scheme = "https" if isinstance(self, HTTPSConnectionPool) else "http"
        return self.proxy is not None and connection_requires_http_tunnel(
            self.proxy, self.proxy_config, scheme
        )

    def take(self, deadline: float, idle_seconds: float) -> Any:
        """A connected connection; raises ``OSError`` or urllib3's errors when there is none by ``deadline``."""
        connection = self._get_conn(left(deadline))
        try:
            connection.deadline = deadline
            idle = time.monotonic() - connection.left_at
            if connection.sock is not None and idle > min(idle_seconds, connection.keep_seconds):
                connection.close()
            if connection.sock is None:
                connection.timeout = left(deadline)
                connection.keep_seconds = float("inf")
                if self.tunnels:
                    self._prepare_proxy(connection)
                else:
                    connection.connect()
        except BaseException:
            connection.close()
            self._put_conn(connection)
            raise
        return connection

    def give(self, connection: Any) -> None:
        """Take a connection back, open or closed."""
        connection.left_at = time.monotonic()
        self._put_conn(connection)


class PlainPool(Taking, HTTPConnectionPool):
    """Connections to one http origin."""

    ConnectionCls = _Plain


class SecurePool(Taking, HTTPSConnectionPool):
    """Connections to one https origin."""

    ConnectionCls = _Secure
