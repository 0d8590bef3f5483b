"""What is told of a campaign's recipient, in the shape of every job."""

from __future__ import annotations

from interakt_jobs.event import RANKS, JobEvent, latest
from worker.campaigns.store.recipient_state import Slot

from .progress import UNFINISHED


def event_of(id: str, slot: Slot) -> JobEvent:
    """The recipient's latest event; ``state``, ``was`` and ``reason`` are the slot's, ``event`` is empty before the end."""
    if slot.state in UNFINISHED:
        return JobEvent(id, "", slot.state, slot.reason, round=slot.round, sequence=10 * slot.round)
    return latest(
        id,
        slot.state,
        reason=slot.reason,
        was=slot.was,
        round=slot.round,
        receipt=slot.state if slot.state in RANKS else "",
        code=slot.reason,
        provider_id=slot.provider_id,
    )
