"""Campaigns: one template to many recipients, planned once, each outcome kept (docs/campaigns.md).

``worker.campaigns.create(link, definition, source)`` and its companions are those of ``creation`` and ``running.control``,
read when first used; ``worker.campaigns.running.control.progress`` looks at one.
"""

from __future__ import annotations

import importlib
from typing import Any

_PLACES = {
    **dict.fromkeys(("create", "check", "Checked"), "creation"),
    **dict.fromkeys(("start", "pause", "resume", "cancel", "retry", "export"), "running.control"),
    **dict.fromkeys(("load", "read"), "definition.definition"),
    **dict.fromkeys(("open_source", "Dicts"), "recipients.sources"),
    "Users": "recipients.users",
}


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
