"""uvicorn's HTTP protocol with the bounds that it lacks: on a request's head and time, and on how many connections wait.

One connection more than there may be is taken, and the one that has kept us waiting longest is closed for it: whoever
holds half-sent requests open loses them, and a webhook that comes whole is answered. There is no limit for one address,
since behind a proxy all have the same.
"""

from __future__ import annotations

import asyncio
import logging
import resource
from collections.abc import Callable

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from worker.telemetry.rate_limited_log import RateLimitedLog

log = logging.getLogger(__name__)
HEAD_BYTES, HEADERS, PIPELINED = 64 << 10, 100, 16
REQUEST_SECONDS = 20.0  # from a request's first byte to its answer's last; the receiver allows its body 10
CONNECTIONS, FILES = 1000, 4096


class ConnectionLimit:
    """All open connections, the least lately served first. ``count`` is called for each that we end."""

    def __init__(self, most: int, count: Callable[[], None]) -> None:
        self._most, self._count, self._seldom = most, count, RateLimitedLog()
        self._open: dict[BoundedProtocol, None] = {}

    def add(self, connection: BoundedProtocol) -> None:
        """It was made or served just now."""
        self.remove(connection)
        self._open[connection] = None
        if len(self._open) > self._most:
            longest = next(each for each in self._open if each.waits or each is connection)
            self.end(longest, "too many connections: the longest waiting one is closed")

    def remove(self, connection: BoundedProtocol) -> None:
        self._open.pop(connection, None)

    def end(self, connection: BoundedProtocol, why: str) -> None:
        self.note(why)
        self.remove(connection)
        connection.transport.abort()

    def note(self, why: str) -> None:
        self._count()
        if self._seldom(why):
            log.warning(why, extra={"action": "connection_refused"})


class BoundedProtocol(HttpToolsProtocol):
    """One connection. ``limit`` is set in the subclass that ``bounded`` makes."""

    limit: ConnectionLimit

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._head = self._framing = 0
        self._start_timer()
        self.limit.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        self.limit.remove(self)
        super().connection_lost(exc)

    @property
    def waits(self) -> bool:
        """Whether it is the client's turn: to ask, to send the rest, or to take the answer."""
        cycle = self.cycle
        return cycle is None or cycle.response_complete or cycle.more_body or self.flow.write_paused

    def _start_timer(self) -> None:
        why = "a request did not come in time, or its answer was not taken"
        self._timer = self.loop.call_later(REQUEST_SECONDS, self.limit.end, self, why)

    def data_received(self, data: bytes) -> None:
        if self._timer.cancelled():
            self._start_timer()
        self._framing += len(data)
        super().data_received(data)
        # The parser gathers a header or a trailer until it is whole.
        if self._framing > HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("too large")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._timer.cancel()
        self._start_timer()
        self._head = 0
        if len(self.pipeline) > PIPELINED:
            raise ValueError("too many requests at once")

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._add_to_head(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._add_to_head(len(name) + len(value))

    def _add_to_head(self, size: int) -> None:
        self._head += size
        if self._head > HEAD_BYTES or len(self.headers) > HEADERS:
            raise ValueError("the head is too large")  # the parser stops, and uvicorn answers 400

    def on_headers_complete(self) -> None:
        self._framing = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._framing = max(0, self._framing - len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._framing = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self._timer.cancel()
        super().on_response_complete()
        if self.transport.is_closing():
            return
        self.limit.add(self)
        if not self.cycle.response_complete:  # the next one had come already
            self._start_timer()

    def send_400_response(self, msg: str) -> None:
        self.limit.note("a request is no HTTP, or larger than it may be")
        super().send_400_response(msg)


def bounded(count: Callable[[], None]) -> type[BoundedProtocol]:
    """The protocol of one process, with its limit; lets the process open as many files as that takes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < FILES:
        soft = FILES if hard == resource.RLIM_INFINITY else min(hard, FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    most = min(CONNECTIONS, soft * 3 // 4)
    return type("Protocol", (BoundedProtocol,), {"limit": ConnectionLimit(most, count)})
