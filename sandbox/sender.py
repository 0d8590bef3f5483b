"""A small HTTP client for webhooks: POST with connections kept open."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]
TIMEOUT = 3.0


class Sender:
    """Keeps idle connections per address; one POST at a time on each."""

    def __init__(self) -> None:
        self._idle: dict[tuple[str, int, bool], list[Pair]] = {}

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        """The status of the answer, or 0 when there is none within 3 s (interakt-api 6)."""
        try:
            return await asyncio.wait_for(self._post(url, body, headers), TIMEOUT)
        except (OSError, ValueError, TimeoutError, EOFError):
            return 0

    def close(self) -> None:
        """Close every idle connection."""
        for pairs in self._idle.values():
            for _, writer in pairs:
                writer.close()
        self._idle.clear()

    async def _post(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        parts = urlsplit(url)
        tls = parts.scheme == "https"
        address = parts.hostname or "", parts.port or (443 if tls else 80), tls
        reader, writer = await self._connection(address)
        kept = False
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            lines = [f"POST {target} HTTP/1.1", f"Host: {parts.netloc.rpartition('@')[2]}"]
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
            lines += [f"{name}: {value}" for name, value in headers.items()]
            writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
            await writer.drain()
            status, kept = await _answer(reader)
        finally:
            if kept:
                self._idle.setdefault(address, []).append((reader, writer))
            else:
                writer.close()
        return status

    async def _connection(self, address: tuple[str, int, bool]) -> Pair:
        idle = self._idle.get(address, [])
        while idle:
            reader, writer = idle.pop()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
            writer.close()
        host, port, tls = address
        return await asyncio.open_connection(host, port, ssl=tls or None)


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bool]:
    """Status, and whether the connection can be used again."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(head[0].split(" ")[1])
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    if not headers.get("content-length", "").isdecimal():
        return status, False
    await reader.readexactly(int(headers["content-length"]))
    return status, "close" not in headers.get("connection", "").lower()
