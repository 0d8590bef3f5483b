"""A recipient without the number: what limits and the opt-out list are kept by."""

from __future__ import annotations

import hashlib


def recipient_hash(digits: str) -> str:
    """First 16 hex digits of the SHA-256 of an E.164 number's digits, without the plus sign."""
    return hashlib.sha256(digits.encode()).hexdigest()[:16]
