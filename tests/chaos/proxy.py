"""A TCP proxy in front of Redis, in a process of its own: drops answers, cuts, stalls, refuses.

``python -m tests.chaos.proxy UPSTREAM_PORT`` prints its two ports: for Redis clients, and for control. A
control connection sends one JSON object a line and gets one back:

``{"drop": sha, "times": n}``  the next n answers of that script are not forwarded; their connections are cut
``{"drop": sha, "before": true}``  the same, but the command never reaches Redis
``{"cut": true}``              every connection is cut
``{"stall": true|false}``      nothing passes in either direction until false
``{"refuse": true|false}``     new connections are closed at once
``{}``                         nothing; an answer is ``{"dropped": {sha: n}, "open": n, "scripts": {sha: n}}``
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.resp import arguments, frame_end, script_of

CHUNK = 1 << 16


@dataclass(eq=False)
class Pair:
    """A client's connection and ours to the server; ``waiting`` are the scripts not yet answered."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    waiting: deque[str] = field(default_factory=deque)
    plain: bool = False

    def cut(self) -> None:
        for side in (self.client, self.server):
            side.transport.abort()


class Proxy:
    """What is armed, and the connections."""

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.pairs: set[Pair] = set()
        self.armed: Counter[tuple[str, bool]] = Counter()
        self.dropped: Counter[str] = Counter()
        self.scripts: Counter[str] = Counter()
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.refuse = False

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuse:
            writer.transport.abort()
            return
        try:
            upstream, out = await asyncio.open_connection("127.0.0.1", self.upstream)
        except OSError:
            writer.transport.abort()
            return
        pair = Pair(writer, out)
        self.pairs.add(pair)
        try:
            await asyncio.gather(self._commands(pair, reader), self._answers(pair, upstream))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.pairs.discard(pair)
            pair.cut()

    async def _commands(self, pair: Pair, reader: asyncio.StreamReader) -> None:
        held = bytearray()
        while chunk := await reader.read(CHUNK):
            await self.flowing.wait()
            if pair.plain:
                pair.server.write(chunk)
                await pair.server.drain()
                continue
            held += chunk
            start = 0
            while start < len(held) and (end := frame_end(held, start)) is not None:
                words = arguments(bytes(held[start:end]))
                script = script_of(words)
                if script:
                    self.scripts[script] += 1
                if self._take(script, True):
                    pair.cut()
                    return
                if words and words[0].upper() in (b"SUBSCRIBE", b"PSUBSCRIBE", b"MONITOR"):
                    pair.plain = True
                pair.waiting.append(script)
                pair.server.write(held[start:end])
                start = end
            del held[:start]
            if pair.plain and held:
                pair.server.write(held)
                held = bytearray()
            await pair.server.drain()
        pair.cut()

    async def _answers(self, pair: Pair, reader: asyncio.StreamReader) -> None:
        held = bytearray()
        while chunk := await reader.read(CHUNK):
            await self.flowing.wait()
            if pair.plain and not held:
                pair.client.write(chunk)
                await pair.client.drain()
                continue
            held += chunk
            start = 0
            while start < len(held) and (end := frame_end(held, start)) is not None:
                pushed = held[start : start + 1] == b">"
                script = pair.waiting.popleft() if pair.waiting and not pushed else ""
                # An EVALSHA that Redis answers with NOSCRIPT has done nothing: not worth dropping.
                if not held.startswith(b"-NOSCRIPT", start) and self._take(script, False):
                    self.dropped[script] += 1
                    pair.cut()
                    return
                pair.client.write(held[start:end])
                start = end
            del held[:start]
            await pair.client.drain()
        pair.cut()

    def _take(self, script: str, before: bool) -> bool:
        if not script or self.armed[script, before] <= 0:
            return False
        self.armed[script, before] -= 1
        if before:
            self.dropped[script] += 1
        return True

    async def control(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            order: dict[str, Any] = json.loads(line)
            if "drop" in order:
                self.armed[order["drop"], bool(order.get("before"))] = int(order.get("times", 1))
            if "stall" in order:
                (self.flowing.clear if order["stall"] else self.flowing.set)()
            if "refuse" in order:
                self.refuse = bool(order["refuse"])
            if order.get("cut"):
                for pair in list(self.pairs):
                    pair.cut()
            told = {"dropped": dict(self.dropped), "open": len(self.pairs), "scripts": dict(self.scripts)}
            writer.write(json.dumps(told).encode() + b"\n")
            await writer.drain()


async def main(upstream: int) -> None:
    """Serve until the process is ended."""
    proxy = Proxy(upstream)
    front = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    control = await asyncio.start_server(proxy.control, "127.0.0.1", 0)
    print(front.sockets[0].getsockname()[1], control.sockets[0].getsockname()[1], flush=True)
    async with front, control:
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(int(sys.argv[1])))
