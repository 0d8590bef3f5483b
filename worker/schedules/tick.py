"""A tick: beat asks, a worker makes the job of the slot that is due.

The job's id is made of the schedule's name and the slot, and the slot is marked after the job is accepted: a tick that comes
twice, from one beat or from several, is one job. One that is lost is asked for again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from interakt_jobs.errors import IdempotencyConflict, JobError, LedgerFull, LedgerUnreachable
from interakt_jobs.ledger.keys import ACCOUNTS, job_id

from .definition import RUNNABLE, Schedule
from .errors import NoSuchSchedule, ScheduleError
from .failures import slot_failed, tail_of
from .store import Schedules, Stored

log = logging.getLogger(__name__)
MOST_COUNTED = 10_000
Accept = Callable[[Schedule, str], str]


def accept(schedule: Schedule, job_key: str) -> str:
    """Accept a slot's job and return its id; the same job_key twice is the same job."""
    job = RUNNABLE[schedule.run].apply_async(
        (schedule.payload,),
        task_id=job_key,
        idempotency_key=job_key,
        account=schedule.account,
        lane=schedule.lane or None,  # type: ignore[arg-type]
        expires=schedule.expires or None,
    )
    return str(job.id)


def tick(schedules: Schedules, name: str, accept: Accept = accept) -> str:
    """Make the job of the newest slot that is due; its id, or why there is none.

    Raises ``LedgerUnreachable`` and ``LedgerFull``: then the slot stays due.
    """
    try:
        found = schedules.get(name)
    except (NoSuchSchedule, ScheduleError) as error:
        return str(error)
    now = schedules.now()
    slot = None if found.paused else found.schedule.latest(int(now), found.mark)
    if slot is None:
        return "nothing is due"
    missed = _between(found, slot)
    late = now - slot
    if late > found.schedule.grace:
        why = f"missed: {late:.0f} s late"
        if _mark(schedules, found, slot, ran=False, missed=missed + 1, error=why):
            slot_failed(schedules, name, slot, why, found.schedule.account)
        return "too late"
    try:
        job = _accept(schedules, found.schedule, tail_of(name, slot), accept)
    except (LedgerUnreachable, LedgerFull):
        raise
    except (JobError, ValueError, TypeError) as error:
        why = f"refused: {error}"[:300]
        if _mark(schedules, found, slot, ran=False, missed=missed, error=why):
            slot_failed(schedules, name, slot, why, found.schedule.account)
        return f"refused: {error}"
    if _mark(schedules, found, slot, ran=True, missed=missed, job=job, error=""):
        log.info(
            "scheduled", extra={"action": "scheduled", "schedule": name, "job": job, "late": round(late, 1)}
        )
    return job


def _accept(schedules: Schedules, schedule: Schedule, job_key: str, accept: Accept) -> str:
    if not schedules.link.command("SISMEMBER", ACCOUNTS, schedule.account):
        raise ValueError(f"no worker ever registered the account {schedule.account!r}")
    try:
        return accept(schedule, job_key)
    except IdempotencyConflict:  # made before its payload was changed
        return job_id(schedule.account, job_key)


def _between(found: Stored, slot: int) -> int:
    """How many slots before this one were passed over."""
    number, at = 0, found.schedule.after(found.mark)
    while at is not None and at < slot and number < MOST_COUNTED:
        number, at = number + 1, found.schedule.after(at)
    return number


def _mark(schedules: Schedules, found: Stored, slot: int, *, ran: bool, missed: int, **facts: str) -> bool:
    following = found.schedule.after(slot)
    score = -1 if following is None else following
    return schedules.mark(found, slot, ran=ran, missed=missed, facts=facts, score=score)
