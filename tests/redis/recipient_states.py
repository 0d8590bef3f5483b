"""The state of one recipient in Redis, read and written by the tests."""

from __future__ import annotations

import uuid

from interakt_jobs.ledger.recipient_numbers import REASONS, STATE
from worker.campaigns.store import blocks
from worker.campaigns.store.recipient_state import FORMAT, WIDTH, RecipientState, unpack
from worker.campaigns.store.store import CampaignStore


def state_of(store: CampaignStore, index: int) -> RecipientState | None:
    """The state of the recipient at an index; None for one that the plan does not have."""
    number, position = divmod(index, blocks.SIZE)
    raw = store.link.command("GET", store.key(f"s:{number}")) or b""
    return unpack(raw, position) if len(raw) >= (position + 1) * WIDTH else None


def pack(state: RecipientState) -> bytes:
    """The 32 bytes of a state: the opposite of ``unpack``."""
    flags, provider = state.round | (0x80 if state.ambiguous else 0), bytes(16)
    if state.provider_id.startswith("sha1:"):
        provider, flags = bytes.fromhex(state.provider_id[5:]), flags | 0x40
    elif state.provider_id:
        provider = uuid.UUID(state.provider_id).bytes
    times = (_offset(state.at, moment) for moment in (state.sent, state.delivered, state.last))
    ends = STATE[state.state] + 16 * STATE[state.was or "planned"]
    return FORMAT.pack(ends, REASONS[state.reason] if state.reason else 0, flags, provider, state.at, *times)


def _offset(at: int, moment: int) -> bytes:
    return (min(max(moment - at, 0) + 1, 0xFFFFFF) if moment else 0).to_bytes(3)
