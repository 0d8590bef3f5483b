"""The API key as the ``Authorization`` header wants it."""

from __future__ import annotations

import base64
import binascii


def authorization(key: str) -> str:
    """``Basic ...`` for a key in any of the forms in which people have it; raises ``ValueError``, without the key.

    The dashboard's key is base64 of ``<token>:`` already and goes out verbatim (interakt-api 1). A pasted ``Basic`` is
    dropped, a lost ``=`` is put back, a raw token is encoded, and what was encoded twice is decoded once.
    """
    text = key.strip()
    if text[:5].lower() == "basic" and not text[5:6].strip():
        text = text[5:].strip()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("the API key is empty or has characters that no key has")
    token = _token(text)
    if token is None:
        return "Basic " + base64.b64encode(f"{text.removesuffix(':')}:".encode()).decode()
    if _token(token) is not None:
        text = token
    return "Basic " + text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)


def secrets_of(key: str) -> tuple[str, ...]:
    """A key in each of its forms: as given, as it is sent, and its token alone; raises ``ValueError``."""
    sent = authorization(key).removeprefix("Basic ")
    return key.strip(), sent, _token(sent) or sent


def _token(text: str) -> str | None:
    """What stands before the colon, if ``text`` is base64 of ``<token>:``."""
    bare = text.rstrip("=")
    try:
        decoded = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return None
    token = decoded.removesuffix(":")
    return token if decoded.endswith(":") and token and token.isprintable() else None
