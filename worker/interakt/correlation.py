"""Our id travels in ``callbackData`` of WhatsApp sends, so that a receipt finds its job even if the answer was lost.

``<id>|<the caller's>`` when that fits 512 characters (interakt-api 4), else the id alone: the ledger
keeps the caller's text.
"""

from __future__ import annotations

import json
from typing import Any

from interakt_jobs import OPERATIONS

MOST = 512


def address(operation: str, payload: dict[str, Any], job: str) -> dict[str, Any]:
    """The payload as it goes out; the caller's own dict is left as it was."""
    if OPERATIONS[operation].kind != "send":
        return payload
    own = payload.get("callbackData")
    carried = f"{job}|{own}" if own else job
    return {**payload, "callbackData": carried if len(carried) <= MOST else job}


def callback_of(payload: str) -> str:
    """The caller's own ``callbackData`` in a payload's JSON, or an empty text."""
    if '"callbackData"' not in payload:
        return ""
    own = json.loads(payload).get("callbackData")
    return own if isinstance(own, str) else ""


def open_callback(callback: str) -> tuple[str, str]:
    """``(job id, caller's text)`` of an echoed ``callbackData``; the id is empty when it is not one of ours."""
    first, bar, rest = callback.partition("|")
    if not first.startswith("ij1."):
        return "", callback
    return first, rest if bar else ""
