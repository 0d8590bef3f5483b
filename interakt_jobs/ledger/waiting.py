"""What a job that has not ended waits for, and until when."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from .keys import WORKERS
from .record import Reading

if TYPE_CHECKING:
    from .client import Ledger

LIVING_MS = 15_000
RETRY = "it is repeated after a failed attempt"
LATER = "its time has not come: a countdown or eta, or the pause between two messages to one person"


class Waiting(NamedTuple):
    """``why`` in words; ``until`` in milliseconds since the epoch, 0 when it is not known."""

    why: str
    until: int = 0


def waits_for(ledger: Ledger, job: Reading) -> Waiting | None:
    """What holds the job up now; None when it runs or has ended."""
    if job.state == "released":
        return Waiting("it is on its way to a worker")
    if job.state not in ("ready", "waiting", "waiting_for_template", "unknown"):
        return None
    own = ledger.prefix
    clock, flat, budget, group, ahead = ledger.link.pipeline(
        [
            ("TIME",), ("HGETALL", f"{own}state"), ("HGET", f"{own}bud", "tat"), ("HGET", f"{own}groups", job.group),
            ("ZRANK", f"{own}ready:{job.lane}", job.job_key),
        ]
    )  # fmt: skip
    workers = ledger.link.command("HGETALL", WORKERS)[1::2]
    now = int(clock[0]) * 1000 + int(clock[1]) // 1000
    state = {
        name.decode(): value.decode("utf-8", "replace")
        for name, value in zip(flat[::2], flat[1::2], strict=True)
    }
    if job.state == "unknown":
        return Waiting("its last call may have been accepted: held for a receipt", job.due)
    if job.state == "waiting":
        return Waiting(RETRY if job.attempts else LATER, job.due)
    if job.state == "waiting_for_template" and group:
        until, _, why = group.decode("utf-8", "replace").split("|", 2)
        if int(until) > now:
            return Waiting(f"the template {job.group} is paused: {why}", int(until))
    return (
        _account(job, state, now)
        or _worker(job.lane, workers, now)
        or _limit(state, max(now, int(budget or 0) // 1000), ahead or 0)
    )


def _account(job: Reading, state: dict[str, str], now: int) -> Waiting | None:
    paused, why = int(state.get("paused_until") or 0), state.get("why", "")
    if paused > now:
        return Waiting(f"the account is paused: {why}", paused)
    if state.get("breaker") == "open":
        return Waiting(f"the account is tried with one call at a time: {why}")
    if "lost_at" in state and (job.lane == "bulk" or job.state == "waiting_for_template"):
        return Waiting(
            "Redis has lost data: it waits until a person runs python -m worker account confirm-loss"
        )
    return None


def _worker(lane: str, workers: list[bytes], now: int) -> Waiting | None:
    for entry in map(json.loads, workers):
        if lane in entry["queues"] and now - entry["at"] < LIVING_MS:
            return None
    return Waiting(f"no worker serves the lane {lane}")


def _limit(state: dict[str, str], free: int, ahead: int) -> Waiting:
    rate = int(state.get("rate") or 300) * float(state.get("factor") or 1)
    wait = ahead * int(state.get("window_ms") or 60_000) / rate
    return Waiting(f"the limit, and {ahead:,} jobs of its lane before it", free + int(wait))
