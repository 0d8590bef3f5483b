"""The event of a job, in one shape: for the task that ``on_done`` names, ``Job.event`` and a campaign's export."""

from __future__ import annotations

from typing import NamedTuple

# How far a receipt says that a message came: a higher rank wins.
RANKS = {"sent": 1, "failed": 2, "delivered": 3, "read": 4, "clicked": 5}


class JobEvent(NamedTuple):
    """The latest that is known of a job.

    ``event`` is ``ended``, ``receipt`` or ``corrected``: the end that was reported first was wrong.
    ``state`` is done, dead or cancelled, and of a receipt its kind. ``reason`` says why it is dead, or WhatsApp's code of a
    ``failed`` receipt. ``was`` is the end that has been corrected (dead or cancelled), here and in all that comes after.
    ``round`` counts replays from 0; in each round a job ends once. Of one job, a greater ``sequence`` is newer; numbers are
    left out. ``provider_id`` is Interakt's, or empty.
    """

    id: str
    event: str
    state: str
    reason: str = ""
    was: str = ""
    round: int = 0
    sequence: int = 0
    provider_id: str = ""


CALLBACK_KEYWORDS = JobEvent._fields[1:]


def latest(
    id: str,
    end: str,
    *,
    reason: str = "",
    was: str = "",
    round: int = 0,
    receipt: str = "",
    code: str = "",
    provider_id: str = "",
) -> JobEvent:
    """The latest event of a job that ended as ``end``, with its best ``receipt``. callbacks.lua has the same sequence."""
    rank = RANKS.get(receipt, 0)
    event = "receipt" if rank else "corrected" if was else "ended"
    sequence = 10 * round + 1 + bool(was) + rank
    state, why = (receipt, code) if rank else (end, reason)
    return JobEvent(id, event, state, why, was, round, sequence, provider_id)
