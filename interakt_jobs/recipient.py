"""A recipient without the number: what limits, windows and the opt-out list are kept by."""

from __future__ import annotations

import hashlib
import re

# How WhatsApp still writes some mobiles, and their number today. `schemas.phones` has the same table, which a test holds.
FORMS = (
    (r"521([0-9]{10})", r"52\1"),  # Mexico gave up the 1 in 2019
    (r"55([1-9]{2})([6-9][0-9]{7})", r"55\g<1>9\2"),  # Brazil added a ninth digit by 2016
    (r"54([1-3][0-9]{9})", r"549\1"),  # Argentina has a 9 in calls from abroad
)
_FORMS = tuple((re.compile(form), number) for form, number in FORMS)
_EARLIER = (
    (re.compile(r"52([0-9]{10})"), r"521\1"),
    (re.compile(r"55([1-9]{2})9([6-9][0-9]{7})"), r"55\1\2"),
    (re.compile(r"549([1-3][0-9]{9})"), r"54\1"),
)


def same_person(digits: str) -> str:
    """The number of whoever has these E.164 digits: one for all the forms in which WhatsApp writes it."""
    return (_rewritten(digits, _FORMS) or [digits])[0] if digits[:2] in ("52", "54", "55") else digits


def recipient_hash(digits: str) -> str:
    """First 16 hex digits of the SHA-256 of the person's E.164 digits, without the plus sign."""
    return _hash(same_person(digits))


def earlier_hashes(digits: str) -> list[str]:
    """What releases before ``same_person`` may have kept this person by as well; empty for most."""
    return [_hash(form) for form in _rewritten(same_person(digits), _EARLIER)]


def _rewritten(digits: str, forms: tuple[tuple[re.Pattern[str], str], ...]) -> list[str]:
    return [found.expand(number) for form, number in forms if (found := form.fullmatch(digits))]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
