"""States and reasons of a recipient, as names and as the numbers in its slot; ``recipient_state.lua`` has the same.

A number once given is never given again: slots outlive a release.
"""

from __future__ import annotations

STATES = (
    *("planned", "skipped", "enqueued", "accepted", "sent", "delivered", "read"),
    *("failed", "dead", "unknown", "cancelled", "held"),
)
STATE = {name: number for number, name in enumerate(STATES)}

REASONS = {
    # why the worker gave up (the ledger's closed list)
    "rejected": 1,
    "invalid_payload": 2,
    "max_attempts": 3,
    "unknown_outcome": 4,
    "expired": 5,
    "crash_loop": 6,
    "opted_out": 7,
    "too_old": 8,
    "unknown_operation": 9,
    "undeliverable_now": 10,
    "recipient_limit": 11,
    # why a recipient was skipped
    "frequency_cap": 20,
    "after_end": 21,
    "stopped": 22,
    # why Meta did not deliver (interakt-api 6)
    "not_on_whatsapp": 32,
    "marketing_cap": 33,
    "experiment": 34,
    "outside_window": 35,
    "spam_limit": 36,
    "pair_rate": 37,
    "throughput": 38,
    "provider_error": 39,
    "missing_parameter": 40,
    "media": 41,
    "template": 42,
    "other": 63,
}
REASON_NAMES = {number: name for name, number in REASONS.items()}

_CODES = {
    "131026": "not_on_whatsapp",
    "1013": "not_on_whatsapp",
    "131049": "marketing_cap",
    "130472": "experiment",
    "131047": "outside_window",
    "131048": "spam_limit",
    "131056": "pair_rate",
    "130429": "throughput",
    "131000": "provider_error",
    "131008": "missing_parameter",
    "131052": "media",
    "131053": "media",
    "132000": "template",
    "132001": "template",
    "132012": "template",
    "132015": "template",
    "132016": "template",
}


def reason_of(channel_error_code: str | None) -> str:
    """The reason for a failed receipt's ``channel_error_code``."""
    return _CODES.get(channel_error_code or "", "other")
