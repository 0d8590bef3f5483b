"""The faults, a module for each kind."""

from __future__ import annotations

import importlib

MODULES = (
    "quiet",
    "kills",
    "deploys",
    "redis_down",
    "redis_answers",
    "answers_lost",
    "poisoned",
    "provider",
    "receipts",
    "time",
    "wakeups",
    "intake",
    "campaign",
    "mutations",
)


def load_all() -> None:
    """Register every fault, in the order of the table."""
    for name in MODULES:
        importlib.import_module(f"{__name__}.{name}")
