"""What the ledger says of itself: lost data, and schedules that nobody looks after or whose last slot failed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from interakt_jobs.errors import JobError
from interakt_jobs.ledger.redis_client import RedisClient
from worker.ledger.layout import DRAIN, OLD_KEY, has_old_data
from worker.ledger.status import losses
from worker.schedules.errors import ScheduleError
from worker.schedules.store import Schedules

from . import Check

BEHIND_SECONDS = 30.0


def examine_data(link: RedisClient) -> Iterator[Check]:
    """Whether Redis has lost what it knew, and nobody has confirmed it; whether it holds an earlier release's data."""
    with contextlib.suppress(JobError):
        if has_old_data(link):
            yield Check("redis data", "failure", f"it holds jobs of an earlier release ({OLD_KEY})", DRAIN)
        if lost := losses(link):
            mend = (
                f"see the opt-outs and the limit, then python -m worker account confirm-loss {' '.join(lost)}"
            )
            yield Check("redis data", "failure", "it has lost data while workers lived; bulk waits", mend)


def examine_schedules(link: RedisClient) -> Iterator[Check]:
    """Whether beat keeps up with the schedules, and what went wrong in their last slots; nothing when there are none."""
    try:
        schedules = Schedules(link)
        names = schedules.names()
        if not names:
            return
        behind, active = schedules.behind(), schedules.has_beat()
        wrong = {name: error for name in names if (error := _error(schedules, name))}
    except JobError:
        return  # the checks of Redis have said so
    found, mend = (
        f"{len(names)}, {'a' if active else 'and no'} beat is active",
        "start beat, as the Procfile has it",
    )
    if behind > BEHIND_SECONDS:
        yield Check("schedules", "failure", f"{found}, {behind:.0f} s behind", mend)
    else:
        yield Check.of("schedules", active, found, mend, "warning")
    for name, error in wrong.items():
        yield Check(f"schedule {name}", "warning", error, f"python -m worker schedule show {name}")


def _error(schedules: Schedules, name: str) -> str:
    try:
        return schedules.get(name).error
    except (LookupError, ScheduleError) as error:
        return str(error)
