"""HTTP/1.1 requests read out of a growing buffer."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field

MOST_HEAD = 65_536
MOST_BODY = 128 * 1024 * 1024

_HEX = re.compile(rb"[0-9a-fA-F]{1,8}")


class BadRequest(Exception):
    """The bytes are not HTTP, or too many; ``status`` says which."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(slots=True)
class Request:
    """One request; header names in lower case, ``arrived`` when its last byte was read (epoch seconds)."""

    method: str
    path: str
    query: str
    http_1_0: bool
    headers: dict[str, str]
    body: bytes = b""
    arrived: float = 0.0
    size: int = field(default=0)
    chunked: bool = field(default=False)

    @property
    def keep_alive(self) -> bool:
        wish = self.headers.get("connection", "").lower()
        return "close" not in wish and (not self.http_1_0 or "keep-alive" in wish)


def take_head(buffer: bytearray) -> Request | None:
    """Remove a request's head from ``buffer``; None while it is incomplete. Raises ``BadRequest``."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0 or end > MOST_HEAD:
        if len(buffer) > MOST_HEAD:
            raise BadRequest(431)
        return None
    first, *lines = buffer[:end].decode("latin-1").split("\r\n")
    del buffer[: end + 4]
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequest(400)
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    path, _, query = words[1].partition("?")
    request = Request(words[0], sys.intern(path), query, words[2] == "HTTP/1.0", headers)
    request.chunked = "chunked" in headers.get("transfer-encoding", "").lower()
    length = headers.get("content-length", "0")
    if not length.isdecimal():
        raise BadRequest(400)
    request.size = int(length[:12])
    if request.size > MOST_BODY:
        raise BadRequest(413)
    return request


def take_body(request: Request, buffer: bytearray) -> bool:
    """Move the body from ``buffer`` into ``request``; False while it is incomplete. Raises ``BadRequest``."""
    if request.chunked:
        return _take_chunks(request, buffer)
    if len(buffer) < request.size:
        return False
    if request.size:
        request.body = bytes(buffer[: request.size])
        del buffer[: request.size]
    return True


def _take_chunks(request: Request, buffer: bytearray) -> bool:
    parts: list[bytes] = []
    at = 0
    if len(buffer) > MOST_BODY:
        raise BadRequest(413)
    while (end := buffer.find(b"\r\n", at)) >= 0:
        digits = bytes(buffer[at:end]).partition(b";")[0].strip()
        if not _HEX.fullmatch(digits):
            raise BadRequest(400)
        size = int(digits, 16)
        start = end + 2
        if len(buffer) < start + size + 2:
            return False
        if size == 0:
            request.body = b"".join(parts)
            del buffer[: start + 2]
            return True
        parts.append(bytes(buffer[start : start + size]))
        at = start + size + 2
    return False
