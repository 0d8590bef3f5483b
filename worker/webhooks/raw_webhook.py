"""One webhook as it came, and its frame on disk: length, CRC-32, then ``account|kind|at ms``, a newline and the body."""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

_HEAD = struct.Struct(">II")
MOST_FRAME = (1 << 20) + 256


class Event(NamedTuple):
    """``kind`` is ``whatsapp`` or ``rcs``, ``at_ms`` when it was received, ``body`` the raw bytes."""

    account: str
    kind: str
    at_ms: int
    body: bytes


def pack(event: Event) -> bytes:
    """The frame of one event."""
    payload = b"%s|%s|%d\n%s" % (event.account.encode(), event.kind.encode(), event.at_ms, event.body)
    return _HEAD.pack(len(payload), zlib.crc32(payload)) + payload


class Unpacked(NamedTuple):
    """What stood in a buffer: the events, where the last one ended, and whether what follows is no frame at all."""

    events: list[Event]
    end: int
    broken: bool


def unpack(buffer: bytes, most: int) -> Unpacked:
    """At most ``most`` events from the start of ``buffer``; a frame that is cut off is left for later."""
    events: list[Event] = []
    end = 0
    while len(events) < most and len(buffer) - end >= _HEAD.size:
        length, check = _HEAD.unpack_from(buffer, end)
        if not 0 < length <= MOST_FRAME:
            return Unpacked(events, end, True)
        start, stop = end + _HEAD.size, end + _HEAD.size + length
        if stop > len(buffer):
            break
        event = _event(buffer[start:stop]) if zlib.crc32(buffer[start:stop]) == check else None
        if event is None:
            return Unpacked(events, end, True)
        events.append(event)
        end = stop
    return Unpacked(events, end, False)


def _event(payload: bytes) -> Event | None:
    head, newline, body = payload.partition(b"\n")
    parts = head.split(b"|")
    if not newline or len(parts) != 3 or not parts[2].isdigit():
        return None
    return Event(
        parts[0].decode("ascii", "replace"), parts[1].decode("ascii", "replace"), int(parts[2]), body
    )
