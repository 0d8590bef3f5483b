"""Just enough of the Redis protocol to see where a command or a reply ends, and which command it is."""

from __future__ import annotations

import hashlib


def frame_end(data: bytes | bytearray, start: int = 0) -> int | None:
    """Index after the frame that begins at ``start``, None while it is incomplete; raises ``ValueError``."""
    pending, at = 1, start
    while pending:
        line = data.find(b"\r\n", at)
        if line < 0:
            return None
        kind, rest = data[at : at + 1], bytes(data[at + 1 : line])
        at = line + 2
        pending -= 1
        if kind in (b"$", b"!", b"="):
            size = int(rest)
            if size >= 0:
                at += size + 2
                if at > len(data):
                    return None
        elif kind in (b"*", b"~", b">"):
            pending += max(0, int(rest))
        elif kind in (b"%", b"|"):
            pending += 2 * int(rest) + (kind == b"|")
        elif kind not in (b"+", b"-", b":", b"_", b"#", b",", b"("):
            raise ValueError(f"no RESP frame begins with {kind!r}")
    return at


def arguments(frame: bytes) -> list[bytes]:
    """The words of one command."""
    if not frame.startswith(b"*"):
        return frame.split()
    words: list[bytes] = []
    at = frame.index(b"\r\n") + 2
    while at < len(frame):
        line = frame.index(b"\r\n", at)
        size = int(frame[at + 1 : line])
        words.append(frame[line + 2 : line + 2 + size])
        at = line + 4 + size
    return words


def script_of(words: list[bytes]) -> str:
    """The digest of the script that a command runs, or an empty string."""
    if len(words) < 2:
        return ""
    name = words[0].upper()
    if name == b"EVALSHA":
        return words[1].decode("ascii", "replace").lower()
    return hashlib.sha1(words[1]).hexdigest() if name == b"EVAL" else ""
