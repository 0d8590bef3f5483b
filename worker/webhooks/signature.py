"""``Interakt-Signature: sha256=<hex>``: HMAC-SHA256 of the raw body with the webhook's secret key (interakt-api 6).

It has no timestamp, so an old webhook can be sent again; what it says is deduplicated later.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable

# Interakt writes the first; the second is what some of its users' receivers read.
HEADERS = (b"interakt-signature", b"x-interakt-signature")
_MARK = b"sha256="


def sign(secret: bytes, body: bytes) -> str:
    """The header's value for a body."""
    return "sha256=" + hmac.digest(secret, body, "sha256").hex()


def is_signed(secret: bytes, body: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether one of the signature headers (lower-case names) is right; compared in constant time."""
    presented = [value for name, value in headers if name in HEADERS]
    if not presented or not secret:
        return False
    expected = hmac.digest(secret, body, "sha256").hex().encode()
    return any(_same(expected, value) for value in presented[:4])


def _same(expected: bytes, presented: bytes) -> bool:
    value = presented.strip().lower()
    return value.startswith(_MARK) and hmac.compare_digest(expected, value[len(_MARK) :])
