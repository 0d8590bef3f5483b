"""A webhook as it came, before anything is understood of it."""

from __future__ import annotations

import zlib
from typing import NamedTuple

MOST_BYTES = (1 << 20) + 256


class RawWebhook(NamedTuple):
    """``kind`` is ``whatsapp`` or ``rcs``, ``at_ms`` when it was received, ``body`` the raw bytes."""

    account: str
    kind: str
    at_ms: int
    body: bytes

    @property
    def size(self) -> int:
        """About how many bytes it takes on disk, at most ``MOST_BYTES``."""
        return len(self.body) + 128

    @property
    def checksum(self) -> int:
        return zlib.crc32(repr(self).encode())
