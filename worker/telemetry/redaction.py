"""What must not leave: phone numbers, keys, quoted payload values."""

from __future__ import annotations

import re
import threading

HIDDEN = "[hidden]"
LONGEST = 16_384  # what is shown is shorter still
# Ids of ours are looked for first, so that the digits inside them are not taken for a phone number: jobs, campaigns
# (none with ten digits in a row, which may be a phone after all), UUIDs, digests.
_CAMPAIGN = r"c(?![0-9a-f]{0,2}[1-9]\d{9})[0-9a-f]{12}"
_KEEP_OR_NUMBER = re.compile(
    r"(?P<keep>\bij1\.[a-z0-9_]{1,32}\."
    r"(?:[0-9a-f]{32}|c[a-z0-9]{8,16}\.\d{1,6}\.\d{1,9}|schedule\.[a-z0-9_\-]{1,40}\.\d{8}T\d{6}Z)\b"
    rf"|\b{_CAMPAIGN}(?:\.\d{{1,6}}\.\d{{1,9}})?\b"
    r"|\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b"
    r"|\b[0-9a-f]{64}\b)"
    r"|\+?\d(?:[\s().\-\u00a0]{0,3}\d){6,}"
)
_KEY = re.compile(
    r"(?i)\b(basic|bearer)\s+[A-Za-z0-9+/=_\-.]{6,}"
    r"|\b(authorization|api[_-]?key|secret|password|token|dsn)(['\"]?\s*[:=]\s*)['\"]?(?:basic\s+|bearer\s+)?[^\s'\",;]{3,}"
    r"|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"
)
# A quote after a backslash opens nothing: else each of many would be looked for its end, up to the end of the text.
_QUOTED = re.compile(
    r"(?<![\w\\])'(?:[^'\\]|\\.|(?<=\w)'(?=\w))*'"
    r'|(?<!\\)"(?:[^"\\]|\\.)*"|\\"[^"\\]*\\"',
    re.DOTALL,
)
_secrets: set[str] = set()
_lock = threading.Lock()


def _kept(match: re.Match[str]) -> str:
    return match["keep"] or HIDDEN


def _key(match: re.Match[str]) -> str:
    if match[1]:
        return f"{match[1]} {HIDDEN}"
    return f"{match[2]}{match[3]}{HIDDEN}" if match[2] else HIDDEN


def mask_numbers(text: str) -> str:
    """``text`` without runs of 7 digits or more, however they are grouped; job ids and UUIDs stay."""
    return _KEEP_OR_NUMBER.sub(_kept, text)


def mask_quoted(text: str) -> str:
    """The same of ``text`` without what stands in quotes: where other people's messages carry values."""
    return _QUOTED.sub(HIDDEN, text[:LONGEST])


def know_secret(value: str) -> None:
    """Hide ``value`` from now on, wherever it turns up; fewer than 6 characters are too common to hide."""
    if len(value) >= 6:
        with _lock:
            _secrets.add(value)


def scrub(text: str) -> str:
    """The first 16,384 characters of ``text``, without known secrets, what looks like a key, and what may be a phone."""
    text = text[:LONGEST]
    for secret in tuple(_secrets):
        if secret in text:
            text = text.replace(secret, HIDDEN)
    return mask_numbers(_KEY.sub(_key, text))
