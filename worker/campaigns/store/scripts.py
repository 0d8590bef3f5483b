"""The campaigns' Lua: calls in ``worker/campaigns/store/lua``, parts shared with the ledger in ``worker/ledger/lua``."""

from __future__ import annotations

from interakt_jobs.ledger.scripts import Script
from interakt_jobs.ledger.scripts import load as load_script


def load(name: str) -> Script:
    """A script of this package."""
    return load_script(name, "worker/campaigns/store/lua", "worker/ledger/lua")
