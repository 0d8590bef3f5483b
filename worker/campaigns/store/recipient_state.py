"""The state of a recipient: 32 bytes, one string for each block of recipients; ``recipient_state.lua`` writes it.

Big endian, ``struct`` format ``>BBB16sI3s3s3s`` (in Redis's Lua ``>BBBc16I4I3I3I3``):

====== ===== =======================================================================
offset bytes what
====== ===== =======================================================================
0      1     state (STATES); plus 16 times the end that it corrects, 0 for none
1      1     reason (REASONS), 0 for none
2      1     round (low 6 bits); 0x40: the id is a digest; 0x80: ambiguous
3      16    Interakt's id: the UUID, or the first 16 bytes of an odd id's SHA-1
19     4     seconds since the epoch: enqueued; then accepted; then ended without being accepted
23     3     sent: seconds after that, plus 1; 0 for never
26     3     delivered, likewise
29     3     read, or failed, likewise
====== ===== =======================================================================
"""

from __future__ import annotations

import struct
import uuid
from typing import NamedTuple

from interakt_jobs.ledger.recipient_numbers import REASON_NAMES, STATES

FORMAT = struct.Struct(">BBB16sI3s3s3s")
WIDTH = FORMAT.size
LAST_ROUND = 63
_DIGEST, _AMBIGUOUS = 0x40, 0x80
_NO_ID = bytes(16)


class RecipientState(NamedTuple):
    """One recipient's outcome; times are seconds since the epoch, 0 for never."""

    state: str = "planned"
    reason: str = ""
    round: int = 0
    provider_id: str = ""
    at: int = 0
    sent: int = 0
    delivered: int = 0
    last: int = 0
    ambiguous: bool = False
    was: str = ""


def unpack(raw: bytes, position: int = 0) -> RecipientState:
    """The state at a position of a block's string; one not yet written is ``planned``."""
    part = raw[position * WIDTH : (position + 1) * WIDTH].ljust(WIDTH, b"\x00")
    state, reason, flags, provider, at, sent, delivered, last = FORMAT.unpack(part)
    return RecipientState(
        STATES[state & 15],
        REASON_NAMES.get(reason, "other") if reason else "",
        flags & LAST_ROUND,
        _name(provider, flags),
        at,
        _moment(at, sent),
        _moment(at, delivered),
        _moment(at, last),
        bool(flags & _AMBIGUOUS),
        STATES[state >> 4] if state >> 4 else "",
    )


def is_planned(raw: bytes, position: int) -> bool:
    """Whether the recipient at a position of a block's string waits to be sent to."""
    return STATES[raw[position * WIDTH] & 15] == "planned"


def _name(provider: bytes, flags: int) -> str:
    if provider == _NO_ID:
        return ""
    return f"sha1:{provider.hex()}" if flags & _DIGEST else str(uuid.UUID(bytes=provider))


def _moment(at: int, raw: bytes) -> int:
    offset = int.from_bytes(raw)
    return at + offset - 1 if offset else 0
