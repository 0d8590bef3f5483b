"""One client connection: requests in, answers out, in good and in bad manners."""

from __future__ import annotations

import asyncio
import logging
import math
import socket
import struct
from http import HTTPStatus
from itertools import repeat
from typing import TYPE_CHECKING, cast

from sandbox import clock, panel
from sandbox.answers import BROKEN, JSON, Reply, refusal
from sandbox.incoming import BadRequest, Request, take_body, take_head

if TYPE_CHECKING:
    from sandbox.app import App

REASONS = {status.value: status.phrase for status in HTTPStatus}
_RST = struct.pack("ii", 1, 0)
_HEADS: dict[int, str] = {}


class Connection(asyncio.Protocol):
    """Answers one request at a time, in order; ``connections`` is the set of those that are open."""

    def __init__(self, app: App, connections: set[Connection]) -> None:
        self.app, self.connections = app, connections
        self.buffer = bytearray()
        self.request: Request | None = None
        self.busy = self.closing = self.endless = False
        self.task: asyncio.Task[None] | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.writable = asyncio.Event()
        self.writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.loop = asyncio.get_running_loop()
        self.connections.add(self)
        self._rest()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closing = True
        self.connections.discard(self)
        for waiting in (self.timer, self.task):
            if waiting is not None:
                waiting.cancel()
        if self.busy or self.request is not None:
            self._ended()
        self.writable.set()

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.busy:
            self._advance()

    def shut(self) -> None:
        """Close now when idle or without an end, else after the answer that is under way."""
        self.closing = True
        if not self.busy or self.endless:
            self.transport.close()

    def _advance(self) -> None:
        try:
            while self.buffer and not self.busy and not self.closing:
                if self.request is None and not self._begin():
                    return
                request = self.request
                if request is None or not take_body(request, self.buffer):
                    return
                request.arrived = clock.now()
                self.busy = True
                self._stop_timer()
                self._send(self._answer(request))
        except BadRequest as bad:
            self.closing = self.busy = True
            self._send(refusal(bad.status, "Bad request"))

    def _answer(self, request: Request) -> Reply:
        try:
            if request.path.startswith(panel.PREFIX):
                return panel.handle(self.app, request)
            return self.app.handle(request)
        except Exception:
            logging.exception("the sandbox failed at %s %s", request.method, request.path)
            return refusal(500, BROKEN)

    def _begin(self) -> bool:
        request = take_head(self.buffer)
        if request is None:
            return False
        self.request = request
        if not request.path.startswith(panel.PREFIX):
            self.app.began()
        if request.headers.get("expect", "").lower() == "100-continue":
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return True

    def _send(self, reply: Reply) -> None:
        self.endless = reply.manner in ("hang", "endless")
        if reply.manner == "hang":
            if reply.delay:
                self.timer = self.loop.call_later(reply.delay, self._reset)
        elif reply.delay == math.inf:
            self.app.faults.held.append(lambda: None if self.transport.is_closing() else self._deliver(reply))
        elif reply.delay > 0:
            self.timer = self.loop.call_later(reply.delay, self._deliver, reply)
        else:
            self._deliver(reply)

    def _deliver(self, reply: Reply) -> None:
        self.timer = None
        if reply.manner == "reset":
            self._reset()
        elif reply.manner == "plain":
            self.transport.write(self._head(reply, len(reply.body)) + reply.body)
            if reply.delay > 0:
                self.app.calls.answered(reply.seq, reply.status)
            self._done()
        else:
            self.task = self.loop.create_task(self._trickle(reply))

    async def _trickle(self, reply: Reply) -> None:
        """Send a body bit by bit: a drip, one that never ends, or a long export."""
        size = len(reply.body) if reply.manner == "drip" else None
        self.transport.write(self._head(reply, size))
        if reply.manner == "drip":
            for byte in reply.body:
                await asyncio.sleep(reply.pace)
                self.transport.write(bytes((byte,)))
        else:
            for piece in reply.stream or repeat(b" " * 16_384):
                self.transport.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                await self.writable.wait()
                await asyncio.sleep(0)
            self.transport.write(b"0\r\n\r\n")
        self.app.calls.answered(reply.seq, reply.status)
        self.task = None
        self._done()

    def _head(self, reply: Reply, size: int | None) -> bytes:
        head = _HEADS.get(reply.status)
        if head is None:
            phrase = REASONS.get(reply.status, "Unknown")
            head = _HEADS[reply.status] = f"HTTP/1.1 {reply.status} {phrase}\r\nServer: sandbox\r\n"
        length = "Transfer-Encoding: chunked" if size is None else f"Content-Length: {size}"
        kind = JSON if reply.content_type is JSON else reply.content_type
        last = "" if self._stays() else "Connection: close\r\n"
        return f"{head}Content-Type: {kind}\r\n{length}\r\n{reply.headers}{last}\r\n".encode("latin-1")

    def _stays(self) -> bool:
        return not self.closing and self.request is not None and self.request.keep_alive

    def _done(self) -> None:
        stays = self._stays()
        self._ended()
        if not stays:
            self.transport.close()
            return
        self._rest()
        if self.buffer:
            self.loop.call_soon(self._advance)

    def _ended(self) -> None:
        if self.request is not None and not self.request.path.startswith(panel.PREFIX):
            self.app.ended()
        self.request, self.busy = None, False

    def _rest(self) -> None:
        """Start the clock of an idle connection, when the settings have one."""
        if seconds := self.app.settings.keepalive_seconds:
            self.timer = self.loop.call_later(seconds, self.transport.close)

    def _stop_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def _reset(self) -> None:
        sock = self.transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
        self.transport.abort()
