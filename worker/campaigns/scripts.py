"""The campaigns' Lua: calls in ``worker/campaigns/lua``, parts shared with the ledger in ``worker/lua``."""

from __future__ import annotations

from interakt_jobs.scripts import Script
from interakt_jobs.scripts import load as load_script


def load(name: str) -> Script:
    """A script of this package."""
    return load_script(name, "worker/campaigns/lua", ("worker/lua",))
