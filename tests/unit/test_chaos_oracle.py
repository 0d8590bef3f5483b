"""The chaos oracle sees each broken invariant, and nothing where nothing is broken."""

from __future__ import annotations

import json

import pytest

from tests.chaos.oracle import Call, Verdict, judge
from tests.chaos.state import Job, Snapshot

RECORD = "2|send_text|cr|normal|1|0|{}|8|||1||\n\n{}"


def done(job_key: str, attempts: int = 1, ambiguous: int = 0) -> Job:
    return Job(job_key, f"=done|send_text|normal|5|{attempts}|{ambiguous}|201|id||ok", ["done"])


def dead(job_key: str, reason: str = "rejected", attempts: int = 1, payload: str = "{}") -> Job:
    raw = RECORD.format("never", payload)
    return Job(job_key, raw, ["dead"], {"reason": reason, "attempts": attempts})


def told(job: Job, *events: tuple[str, str, str, int], order: int = 1) -> Job:
    """The job with what its application is told: event, state, was, round."""
    for number, (event, state, was, turn) in enumerate(events):
        job.told.append(
            {"event": event, "state": state, "was": was, "round": turn, "sequence": order * number}
        )
    return job


def waiting(job_key: str, *places: str) -> Job:
    return Job(job_key, RECORD.format("never", "{}"), list(places))


def taken(job_key: str, at: float = 1.0) -> Call:
    return Call(at, f"ij1.default.{job_key}", 201, True)


def refused(job_key: str, status: int | None = 400, at: float = 1.0) -> Call:
    return Call(at, f"ij1.default.{job_key}", status, False)


def judged(jobs: list[Job], calls: list[Call], policy: str = "after_hold", **options: object) -> Verdict:
    accepted = {f"ij1.default.{job.job_key}": policy for job in jobs}
    celery = options.pop("celery", {})
    assert isinstance(celery, dict)
    found = Snapshot({job.job_key: job for job in jobs if job.raw}, celery)
    return judge(accepted, found, calls, **options)  # type: ignore[arg-type]


def test_nothing_is_wrong_with_jobs_done_once_and_dead_with_a_reason() -> None:
    verdict = judged([done("a"), dead("b")], [taken("a"), refused("b")])
    assert verdict.ok, verdict.errors
    assert (verdict.jobs, verdict.done, verdict.dead, verdict.lost, verdict.doubled) == (2, 1, 1, 0, 0)


BROKEN: dict[str, tuple[str, list[Job], list[Call], dict[str, object]]] = {
    "a record that is gone": ("(1) lost", [Job("a")], [], {}),
    "a job that never ended": ("(1) not ended", [waiting("a", "ready:normal")], [], {}),
    "a job in no place": ("(1) lost: in no place", [waiting("a")], [], {}),
    "a job in two places": (
        "(1) not ended: in held and ready:normal",
        [waiting("a", "held", "ready:normal")],
        [],
        {},
    ),
    "a done job that is still ready": (
        "(1) in several places",
        [Job("a", done("a").raw, ["ready:normal", "done"])],
        [taken("a")],
        {},
    ),
    "done without the provider": ("(2)", [done("a")], [], {}),
    "done though refused": ("(2)", [done("a")], [refused("a")], {}),
    "sent twice unmarked": ("(3) accepted 2", [done("a", attempts=2)], [taken("a"), taken("a")], {}),
    "more calls than attempts": ("(3) 2 calls", [done("a")], [refused("a", 500), taken("a")], {}),
    "a never sent twice, though marked": (
        "(4)",
        [done("a", attempts=2, ambiguous=1)],
        [taken("a"), taken("a")],
        {"policy": "never", "bound": 1},
    ),
    "an invented reason": ("(5)", [dead("a", "bad_luck")], [refused("a")], {}),
    "a dead payload that cannot be read": ("(5) dead without", [dead("a", payload="{")], [refused("a")], {}),
    "a message left in a queue": ("(6)", [done("a")], [taken("a")], {"celery": {"unacked": 1}}),
    "a lease left behind": (
        "(6)",
        [Job("a", done("a").raw, ["done"], litter=["run:normal"])],
        [taken("a")],
        {},
    ),
    "too many calls in a window": (
        "(7)",
        [done("a"), done("b"), done("c")],
        [taken("a", 1.0), taken("b", 1.5), taken("c", 1.9)],
        {"limit": 2, "window": 1.0},
    ),
    "a dead worker": ("(8)", [done("a")], [taken("a")], {"alive": False}),
    "a lost canary": ("(8)", [done("a")], [taken("a")], {"canary": False}),
    "ambiguous without a fault": ("(9)", [done("a", ambiguous=1)], [taken("a")], {}),
    "an end told twice": (
        "(11) told twice to have ended: dead, then done",
        [told(done("a"), ("ended", "dead", "", 0), ("ended", "done", "", 0))],
        [taken("a")],
        {},
    ),
    "an end that changes in silence": (
        "(11) told to be dead, and is done",
        [told(done("a"), ("ended", "dead", "", 0))],
        [taken("a")],
        {},
    ),
    "a correction of what was never told": (
        "(11) told to be nothing, and corrected from dead",
        [told(done("a"), ("corrected", "done", "dead", 0))],
        [taken("a")],
        {},
    ),
    "news in the wrong order": (
        "(11) told in another order",
        [told(done("a"), ("ended", "dead", "", 0), ("corrected", "done", "dead", 0), order=-1)],
        [taken("a")],
        {},
    ),
    "unknown above the bound": (
        "(9)",
        [dead("a", "unknown_outcome"), dead("b", "unknown_outcome")],
        [],
        {"bound": 1},
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_invariant_is_seen(name: str) -> None:
    expected, jobs, calls, options = BROKEN[name]
    errors = judged(jobs, calls, **options).errors  # type: ignore[arg-type]
    assert len(errors) == 1, errors
    assert errors[0].startswith(expected)


def test_a_job_that_nobody_accepted_is_seen_unless_a_call_was_uncertain() -> None:
    found = Snapshot({"x": done("x")})
    assert judge({}, found, [taken("x")]).errors[0].startswith("(1) 1 jobs that nobody accepted")
    assert judge({}, found, [taken("x")], uncertain=1).ok


def test_a_repeat_marked_ambiguous_is_no_double_within_the_bound() -> None:
    calls = [taken("a"), taken("a")]
    verdict = judged([done("a", attempts=2, ambiguous=1)], calls, bound=1)
    assert verdict.ok, verdict.errors
    assert (verdict.ambiguous, verdict.doubled) == (1, 0)


def test_what_may_always_be_repeated_is_never_a_double() -> None:
    verdict = judged([done("a", attempts=2)], [taken("a"), taken("a")], policy="always")
    assert verdict.ok, verdict.errors


def test_throttled_answers_cost_no_attempt() -> None:
    verdict = judged([done("a")], [refused("a", 429), refused("a", 429), taken("a")])
    assert verdict.ok, verdict.errors


def test_a_replayed_job_counts_its_attempts_anew() -> None:
    job = done("a")
    job.replays = 1
    assert judged([job], [refused("a", 422), taken("a")]).ok


def test_a_named_correction_and_a_replay_are_no_fault() -> None:
    ends = ("ended", "dead", "", 0), ("corrected", "done", "dead", 0), ("receipt", "read", "dead", 0)
    job = told(done("a"), *ends, ("ended", "done", "", 1))
    job.replays = 1
    verdict = judged([job], [taken("a")])
    assert verdict.ok, verdict.errors


def test_a_job_that_waits_is_unfinished_and_not_lost() -> None:
    verdict = judged([waiting("a", "ready:normal"), done("b")], [taken("b")])
    assert (verdict.lost, verdict.unfinished, verdict.ok, verdict.slow) == (0, 1, False, False)


def test_a_slow_run_is_called_slow_and_nothing_else() -> None:
    jobs = [waiting("a", "ready:normal"), done("b")]
    verdict = judged(jobs, [taken("b")], rest="slow: still moving after 1800 s")
    assert (verdict.errors, verdict.slow, verdict.ok) == (["slow: still moving after 1800 s"], True, False)
    assert (verdict.lost, verdict.unfinished) == (0, 1)
    lost = judged([Job("a"), done("b")], [taken("b")], rest="slow: still moving after 1800 s")
    assert (lost.lost, lost.slow) == (1, False), "what is lost is lost on a slow machine too"


def test_many_jobs_with_one_fault_make_one_sentence() -> None:
    errors = judged([done(str(n)) for n in range(50)], []).errors
    assert len(errors) == 1
    assert "[50]" in errors[0]


def test_a_short_record_is_read_field_by_field() -> None:
    job = done("a", attempts=3, ambiguous=1)
    assert (job.end, job.attempts, job.ambiguous) == ("done", 3, True)
    living = waiting("a", "held")
    assert (living.end, living.payload) == ("", json.loads("{}"))
