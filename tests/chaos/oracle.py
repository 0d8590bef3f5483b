"""The invariants of the design, judged from Redis and from the provider's own record of calls.

1  each accepted job is in exactly one place and ends done, dead or cancelled; one that is in a place and has not
   ended is unfinished, not lost
2  done means that the provider accepted it
3  accepted more than once only if marked ambiguous or repeatable always; calls at most attempts and free ones
4  with ``never``, accepted at most once
5  dead has a reason of the closed list and a readable payload
6  nothing stays behind in Celery's own keys, nor beside an ended job
7  never more calls in a sliding window than the limit
8  the worker lives and a canary finishes
9  ambiguous plus ``unknown_outcome`` at most what the faults can explain; 0 without faults
11 what an application was told as an end is not told differently later, except as a named correction
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.chaos.state import Job, Snapshot
from tests.chaos.window import most_in_window

REASONS = frozenset(
    [
        "rejected",
        "invalid_payload",
        "max_attempts",
        "unknown_outcome",
        "expired",
        "crash_loop",
        "opted_out",
        "too_old",
        "unknown_operation",
        "undeliverable_now",
        "recipient_limit",
    ]
)
COST_NOTHING = frozenset({429, 401, 403})
SHOWN = 5


class Call(NamedTuple):
    """A call as the provider saw it: epoch seconds, job id or empty, status or None, carried out or not."""

    at: float
    job: str
    status: int | None
    accepted: bool


@dataclass
class Verdict:
    """What one fault did: counts for the table, and a sentence per broken invariant."""

    jobs: int = 0
    lost: int = 0
    unfinished: int = 0
    doubled: int = 0
    ambiguous: int = 0
    unknown: int = 0
    bound: int = 0
    dead: int = 0
    done: int = 0
    strays: int = 0
    most_calls: int = 0
    errors: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.errors

    @property
    def slow(self) -> bool:
        """Nothing is wrong but that the machine did not get it done in time."""
        return bool(self.errors) and all(error.startswith("slow") for error in self.errors)


class _Errors:
    """Collects broken invariants; the first few of a kind with the job, the rest counted."""

    def __init__(self) -> None:
        self.kinds: defaultdict[str, list[str]] = defaultdict(list)

    def add(self, invariant: int, what: str, where: str = "") -> None:
        self.kinds[f"({invariant}) {what}"].append(where)

    def texts(self) -> list[str]:
        found = []
        for what, places in self.kinds.items():
            named = [place for place in places if place]
            more = f": {', '.join(named[:SHOWN])}" if named else ""
            found.append(f"{what} [{len(places)}]{more}")
        return found


def judge(
    accepted: Mapping[str, str],
    found: Snapshot,
    calls: Iterable[Call],
    *,
    bound: int = 0,
    limit: int = 0,
    window: float = 60.0,
    account: str = "default",
    uncertain: int = 0,
    alive: bool = True,
    canary: bool = True,
    free_statuses: frozenset[int] = COST_NOTHING,
    rest: str = "",
) -> Verdict:
    """Judge a run.

    ``rest`` is empty when it has come to rest, else ``stuck: ...`` or ``slow: ...``. The jobs of a slow run that have
    not ended are counted and broken no invariant, but the run is not ok: it says too little.
    ``accepted`` maps the id of each job whose accept returned to its repeat policy. ``bound`` is kills times
    calls in flight, plus answers that the fault lost. ``limit`` calls per ``window`` seconds (0: unchecked).
    ``uncertain`` accept calls failed after they were sent: so many jobs may exist unasked.
    ``free_statuses`` are answers that cost no attempt.
    """
    errors, verdict = _Errors(), Verdict(jobs=len(accepted), bound=bound)
    taken: defaultdict[str, int] = defaultdict(int)
    made: defaultdict[str, int] = defaultdict(int)
    free: defaultdict[str, int] = defaultdict(int)
    times = []
    for call in calls:
        times.append(call.at)
        made[call.job] += 1
        taken[call.job] += call.accepted
        free[call.job] += call.status in free_statuses
    unasked = [job_key for job_key in found.jobs if f"ij1.{account}.{job_key}" not in accepted]
    if len(unasked) > uncertain:
        errors.add(
            1, f"{len(unasked)} jobs that nobody accepted ({uncertain} uncertain)", " ".join(unasked[:SHOWN])
        )
    for identity, policy in [*accepted.items(), *((f"ij1.{account}.{job_key}", "") for job_key in unasked)]:
        job_key = identity.split(".", 2)[2]
        job = found.jobs.get(job_key) or Job(job_key)
        policy = policy or _policy(job)
        _judge_end(job, taken[identity], verdict, errors, slow=rest.startswith("slow"))
        _judge_repeats(job, policy, taken[identity], made[identity], free[identity], verdict, errors)
        _judge_told(job, errors)
    for name, size in found.celery.items():
        errors.add(6, f"{size} left in Celery's {name}")
        verdict.strays += 1
    verdict.most_calls = most_in_window(times, window)
    if limit and verdict.most_calls > limit:
        errors.add(7, f"{verdict.most_calls} calls in {window:g} s, {limit} are allowed")
    if not alive:
        errors.add(8, "a worker is not alive")
    if not canary:
        errors.add(8, "the canary did not finish")
    if verdict.ambiguous + verdict.unknown > bound:
        errors.add(
            9, f"ambiguous {verdict.ambiguous} plus unknown {verdict.unknown} above the bound of {bound}"
        )
    verdict.errors = errors.texts() + ([rest] if rest else [])
    return verdict


def _policy(job: Job) -> str:
    head = job.raw.partition("\n")[0].split("|")
    return head[6] if len(head) > 6 and not job.raw.startswith("=") else "after_hold"


def _judge_end(job: Job, taken: int, verdict: Verdict, errors: _Errors, slow: bool) -> None:
    if not job.raw or not job.places:
        verdict.lost += 1
        errors.add(1, f"lost: {'in no place' if job.raw else 'no record'}", job.job_key)
    elif not job.end:
        verdict.unfinished += 1
        if not slow or len(job.places) > 1:
            errors.add(1, f"not ended: in {' and '.join(job.places)}", job.job_key)
    elif len(job.places) != 1:
        errors.add(1, f"in several places: {' and '.join(job.places)}", job.job_key)
    if job.end == "done":
        verdict.done += 1
        if not taken:
            verdict.lost += 1
            errors.add(2, "done, but the provider never accepted it", job.job_key)
    if job.end == "dead":
        _judge_dead(job, verdict, errors)
    if job.end in ("done", "cancelled") and job.litter:
        verdict.strays += 1
        errors.add(6, f"ended, but still in {' and '.join(sorted(set(job.litter)))}", job.job_key)
    if job.end == "dead" and (left := set(job.litter) - {"tries", "log", "possibly_sent"}):
        verdict.strays += 1
        errors.add(6, f"dead, but still in {' and '.join(sorted(left))}", job.job_key)


def _judge_told(job: Job, errors: _Errors) -> None:
    """Of the messages to the application, in the order in which they were written: one end a round, then corrections."""
    last: dict[int, str] = {}
    numbers = [entry["sequence"] for entry in job.told]
    if numbers != sorted(set(numbers)):
        errors.add(11, "told in another order than the sequence says", job.job_key)
    for entry in job.told:
        before, state = last.get(entry["round"], ""), entry["state"]
        if entry["event"] == "ended" and before:
            errors.add(11, f"told twice to have ended: {before}, then {state}", job.job_key)
        elif entry["event"] == "corrected" and entry["was"] != before:
            errors.add(
                11, f"told to be {before or 'nothing'}, and corrected from {entry['was']}", job.job_key
            )
        if entry["event"] != "receipt":
            last[entry["round"]] = state
    if job.told and job.end and last.get(job.replays) != job.end:
        errors.add(11, f"told to be {last.get(job.replays, 'nothing')}, and is {job.end}", job.job_key)


def _judge_dead(job: Job, verdict: Verdict, errors: _Errors) -> None:
    verdict.dead += 1
    reason = str((job.dead or {}).get("reason"))
    if reason == "unknown_outcome":
        verdict.unknown += 1
    if reason not in REASONS:
        errors.add(5, f"dead for {reason!r}, which is no reason of the list", job.job_key)
    try:
        readable = isinstance(job.payload, dict)
    except ValueError:
        readable = False
    if not readable:
        errors.add(5, "dead without a readable payload", job.job_key)


def _judge_repeats(
    job: Job, policy: str, taken: int, made: int, free: int, verdict: Verdict, errors: _Errors
) -> None:
    verdict.ambiguous += job.ambiguous
    if taken > 1 and policy == "never":
        verdict.doubled += 1
        errors.add(4, f"accepted {taken} times, though never to be repeated", job.job_key)
    elif taken > 1 and policy != "always" and not job.ambiguous:
        verdict.doubled += 1
        errors.add(3, f"accepted {taken} times, not marked ambiguous", job.job_key)
    if job.end and not job.replays and made - free > job.attempts:  # a replay starts the count anew
        errors.add(3, f"{made} calls, {free} of them free, in {job.attempts} attempts", job.job_key)
