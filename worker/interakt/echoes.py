"""Interakt's words without what they repeat of a request: an error may quote an OTP, an e-mail address, even the key.

Both are compared without escapes (of URLs, HTML, JSON), spaces, plus signs and capital letters. A long value is looked for
in pieces, so that it is found where it was cut, too.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

from worker.telemetry.redaction import HIDDEN

MOST, PIECE, LEAST = 4096, 12, 3
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([\"'/\\])|[bfnrt])")
_SPLIT = re.compile(r"[\s/?&=,;:\"'()<>|]+")
# What the API itself is made of is nobody's secret, and errors would be unreadable without it.
API_WORDS = frozenset(
    [
        "text", "image", "document", "video", "audio", "sticker", "template", "button", "list", "reply", "sms",
        "interactivebutton", "interactivelist", "carousel", "standalone_carousel", "publicapi", "utility", "marketing",
        "authentication",
    ]
)  # fmt: skip


class Searched(NamedTuple):
    """A text: the letters that are compared, the place of each, all of it in lower case, and a mark for each sign."""

    letters: str
    places: list[int]
    lower: str
    hidden: bytearray


def without(text: str, values: Iterable[str]) -> str:
    """``text`` with each of ``values`` hidden, however it is spelled; as it was, if none is in it."""
    shown = _plain(text[:MOST])
    places = [at for at, one in enumerate(shown) if one not in " +"]
    searched = Searched(_letters(shown), places, _lower(shown), bytearray(len(shown)))
    seen: set[str] = set()
    for value in values:
        sought = _letters(_plain(value))
        if len(sought) >= (LEAST if sought.isascii() else 2) and sought not in API_WORDS:
            _hide(searched, sought, seen)
    if not any(searched.hidden):
        return text
    found, at = "", 0
    for run in re.split(b"(\x01+)", searched.hidden):
        found += HIDDEN if run[:1] == b"\x01" else shown[at : at + len(run)]
        at += len(run)
    return found


def values_of(payload: Any) -> Iterator[str]:
    """The texts and numbers of a payload, and of longer texts the words that may be a code or an address."""
    if isinstance(payload, Mapping):
        payload = list(payload.values())
    if isinstance(payload, list | tuple):
        for one in payload:
            yield from values_of(one)
    elif isinstance(payload, int | float) and not isinstance(payload, bool):
        yield str(payload)
    elif isinstance(payload, str):
        if payload.startswith("ij1."):  # our own id, before the caller's text
            payload = payload.partition("|")[2]
        yield payload
        for word in _SPLIT.split(payload):
            if len(word) > LEAST and ("@" in word or any(map(str.isdigit, word))):
                yield word.strip(".!")


def _hide(searched: Searched, sought: str, seen: set[str]) -> None:
    """Mark where ``sought`` stands as a whole, or, if it is long, any piece of it and what goes on as it does."""
    low, size = searched.letters, min(PIECE, len(sought))
    for start in {*range(0, len(sought) - size + 1, size), len(sought) - size}:
        piece = sought[start : start + size]
        at = -1 if piece in seen else low.find(piece)
        seen.add(piece)
        while at >= 0:
            first, last, before, after = at, at + size, start, start + size
            while first and before and low[first - 1] == sought[before - 1]:
                first, before = first - 1, before - 1
            while last < len(low) and after < len(sought) and low[last] == sought[after]:
                last, after = last + 1, after + 1
            begin, end = searched.places[first], searched.places[last - 1] + 1
            if size == PIECE or _is_whole(searched.lower, begin, end):
                searched.hidden[begin:end] = b"\x01" * (end - begin)
            at = low.find(piece, last)


def _is_whole(text: str, begin: int, end: int) -> bool:
    """Whether a short value is no part of a longer word or number; a code of six signs is hidden inside others too."""
    value = text[begin:end]
    if len(value) >= 6 and any(map(str.isdigit, value)):
        return True
    return not (_joins(text[begin - 1 : begin], value[0]) or _joins(value[-1], text[end : end + 1]))


def _joins(one: str, other: str) -> bool:
    both = one + other
    return len(both) == 2 and both.isascii() and (both.isalpha() or both.isdigit())


def _plain(text: str) -> str:
    """``text`` without escapes, with single spaces, and one for each sign that cannot be printed."""
    for _ in range(3):
        before = text
        if "%" in text or "&" in text or "\\" in text:
            text = _ESCAPE.sub(_unescaped, html.unescape(unquote(text)))
        if text == before:
            break
    if not text.isascii():
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        # in slices: many marks in a row take a time that grows with their square
        text = "".join(unicodedata.normalize("NFKC", text[at : at + 256]) for at in range(0, len(text), 256))
    if not text.isprintable():
        text = "".join(one if one.isprintable() else " " for one in text)
    return " ".join(text.split())


def _unescaped(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    return chr(int(code, 16)) if code else match[3] or " "


def _lower(text: str) -> str:
    """In lower case, of the same length."""
    low = text.lower()
    if len(low) != len(text):
        low = "".join(one.lower() if len(one.lower()) == 1 else one for one in text)
    return low


def _letters(text: str) -> str:
    """What is compared: neither spaces nor plus signs, which stand for spaces in a URL."""
    return _lower(text).replace(" ", "").replace("+", "")
