"""States and reasons of a campaign's recipient, as names and as the numbers that Redis keeps.

The Lua module ``recipient_numbers`` is generated from these tables (scripts.py). A number never gets another meaning:
what Redis keeps outlives a release.
"""

from __future__ import annotations

STATES = (
    *("planned", "skipped", "enqueued", "accepted", "sent", "delivered", "read"),
    *("failed", "dead", "unknown", "cancelled", "held"),
)
STATE = {name: number for number, name in enumerate(STATES)}
# How far the message of a recipient in this state came.
RANKS = {"accepted": 0, "sent": 1, "failed": 2, "delivered": 3, "read": 4}

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
DEAD_REASONS = tuple(name for name, number in REASONS.items() if number < REASONS["frequency_cap"])
REASON_NAMES = {number: name for name, number in REASONS.items()}

# The reason for the ``channel_error_code`` of a failed receipt; ``other`` for every other code.
FAILURE_CODES = {
    **{
        "131026": "not_on_whatsapp",
        "1013": "not_on_whatsapp",
        "131049": "marketing_cap",
        "130472": "experiment",
    },
    **{"131047": "outside_window", "131048": "spam_limit", "131056": "pair_rate", "130429": "throughput"},
    **{"131000": "provider_error", "131008": "missing_parameter", "131052": "media", "131053": "media"},
    **dict.fromkeys(("132000", "132001", "132012", "132015", "132016"), "template"),
}

# ``names`` is the state by its number, ``codes`` the reason's number by code.
TABLES = {
    "states": STATE,
    "names": dict(enumerate(STATES)),
    "ranks": RANKS,
    "reasons": REASONS,
    "codes": {code: REASONS[name] for code, name in FAILURE_CODES.items()},
}
