"""What the model test knows of a job, and what it sees of the ledger: one snapshot, and the rules it must keep."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from interakt_jobs.ledger.recipient_numbers import DEAD_REASONS as REASONS
from interakt_jobs.ledger.record import ENDED
from worker.ledger.work_ledger import LANES, Work, WorkLedger

ACCOUNT_KEYS = {
    "ambiguous", "audit", "signal", "bud", "count", "dead", "ending", "expires", "failed", "fence", "fl", "groups", "held",
    "decided", "possibly_sent", "outbox", "dispatcher", "templates_waiting", "probe", "state", "tries", "used",
    *(f"{kind}:{lane}" for kind in ("ready", "rel", "run") for lane in LANES),
}  # fmt: skip
EXPIRING = ("early:", "i:", "pid:", "probe:", "r:", "replays:")


@dataclass
class Attempt:
    """One call to the provider: ``accepted`` is the truth that only the provider knows."""

    work: Work
    token: str
    accepted: bool
    round: int
    outcome: tuple[Any, ...] | None = None


@dataclass
class Known:
    """One job of the model; a replay begins a new ``round``."""

    job_key: str
    policy: str
    lane: str
    round: int = 0
    calls: int = 0
    attempts: list[Attempt] = field(default_factory=list)
    proved: bool = False
    doubles_allowed: bool = False
    gone: bool = False
    since: int = 0

    def accepted(self, of_round: bool = False) -> int:
        return sum(
            attempt.accepted for attempt in self.attempts if not of_round or attempt.round >= self.since
        )


class Snapshot:
    """Everything the account has in Redis, by the key's name without its prefix."""

    def __init__(self, ledger: WorkLedger) -> None:
        link, prefix = ledger.link, ledger.prefix
        names = sorted(key.decode() for key in link.command("KEYS", f"{prefix}*"))
        kinds = link.pipeline([("TYPE", name) for name in names]) if names else []
        reads = {b"zset": ("ZRANGE", 0, -1), b"hash": ("HGETALL",), b"string": ("GET",), b"list": ("LRANGE", 0, -1),
                 b"set": ("SMEMBERS",), b"stream": ("XLEN",)}  # fmt: skip
        commands: list[tuple[Any, ...]] = []
        for name, kind in zip(names, kinds, strict=True):
            verb, *rest = reads[kind]
            commands += [(verb, name, *rest), ("PTTL", name)]
        answers = link.pipeline(commands) if commands else []
        self.values: dict[str, Any] = {}
        self.ttl: dict[str, int] = {}
        for number, name in enumerate(names):
            short = name.removeprefix(prefix)
            self.values[short], self.ttl[short] = answers[2 * number], answers[2 * number + 1]

    def members(self, name: str) -> set[str]:
        return {member.decode() for member in self.values.get(name, [])}

    def hash(self, name: str) -> dict[str, str]:
        found = self.values.get(name, [])
        pairs = found.items() if isinstance(found, dict) else zip(found[::2], found[1::2], strict=True)
        return {job_key.decode(): value.decode() for job_key, value in pairs}

    def raw(self, job_key: str) -> str:
        return (self.values.get(f"j:{job_key}") or b"").decode()

    def places(self) -> dict[str, list[str]]:
        """Where each job is: its live sets, ``dead``, or ``ended`` by its terminal string."""
        found: dict[str, list[str]] = defaultdict(list)
        for name in self.values:
            if name in ("held", "dead") or name.split(":")[0] in (
                "ready",
                "rel",
                "run",
                "waiting_for_template",
            ):
                for job_key in self.members(name):
                    found[job_key].append(name)
            elif name.startswith("j:") and self.raw(name[2:]).startswith("="):
                found[name[2:]].append("ended")
        return found


def check(ledger: WorkLedger, jobs: dict[str, Known]) -> Snapshot:
    """Hold a snapshot against the model; an ``AssertionError`` says what is wrong."""
    seen = Snapshot(ledger)
    places, flight = seen.places(), seen.hash("fl")
    for job_key, job in jobs.items():
        found = places.pop(job_key, [])
        assert len(found) == (0 if job.gone else 1), f"{job_key} is in {found}"
        if not job.gone:
            _check_job(ledger, seen, job, found[0], flight)
    assert not places, f"nobody accepted {dict(places)}"
    assert set(flight) == {
        t for kind in ("rel", "run") for lane in LANES for t in seen.members(f"{kind}:{lane}")
    }
    _check_told(ledger, seen, jobs)
    _check_keys(seen, jobs)
    return seen


def _check_told(ledger: WorkLedger, seen: Snapshot, jobs: dict[str, Known]) -> None:
    """In each round a job is told to have ended once, and differs from that only by a named correction."""
    told: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for raw in seen.values.get("outbox", []):
        told[(entry := json.loads(raw))["id"]].append(entry)
    for job_key, job in jobs.items():
        numbers = [entry["sequence"] for entry in told[job_key]]
        assert numbers == sorted(set(numbers)), f"{job_key} was told in the order {numbers}"
        last: dict[int, str] = {}
        for entry in told[job_key]:
            if entry["event"] == "ended":
                assert entry["round"] not in last, f"{job_key} ended twice"
            else:
                assert (entry["event"], entry["was"]) == ("corrected", last[entry["round"]]), entry
            last[entry["round"]] = entry["state"]
        if not job.gone and (reading := ledger.read(job_key)).state in ENDED:
            assert last[reading.round] == reading.state, (
                f"{job_key} was told to be {last}, and is {reading.state}"
            )


def _check_job(ledger: WorkLedger, seen: Snapshot, job: Known, place: str, flight: dict[str, str]) -> None:
    job_key, raw = job.job_key, seen.raw(job.job_key)
    kind, _, lane = place.partition(":")
    if kind in ("ready", "rel", "run"):
        assert lane == job.lane
    if kind in ("rel", "run"):
        assert (flight[job_key][0] == "s") == (kind == "run")
    expires = raw.split("|", 6)[5] if not raw.startswith("=") else "0"
    assert (job_key in seen.members("expires")) == (expires != "0" and kind not in ("dead", "ended", "held"))
    reading = ledger.read(job_key)
    if kind == "dead":
        assert reading.state == "dead"
        assert reading.reason in REASONS
        assert reading.payload == {"for": job_key}
    if reading.state == "done":
        assert job.accepted() >= 1, "done, and the provider accepted nothing"
    if reading.state == "done" and job.policy != "always" and job.accepted(of_round=True) > 1:
        assert reading.ambiguous, "accepted more than once, and not marked"
    if job.policy == "never" and not job.doubles_allowed:
        assert job.accepted(of_round=True) <= 1, "never, and accepted more than once"
    if job.proved:
        assert reading.state in ("done", "running"), f"a receipt came, and it is {reading.state}"
    if kind == "ended":
        assert not {job_key} & (set(seen.hash("tries")) | set(seen.hash("possibly_sent")) | set(flight))
        assert seen.ttl[f"j:{job_key}"] > 0
        assert f"log:{job_key}" not in seen.values
    else:
        assert seen.ttl[f"j:{job_key}"] == -1
        assert reading.attempts <= job.calls
    assert (f"d:{job_key}" in seen.values) == (kind == "dead")


def _check_keys(seen: Snapshot, jobs: dict[str, Known]) -> None:
    """Every key is the account's own, or a job's that is there, or ends by itself."""
    for name in seen.values:
        kind, _, rest = name.partition(":")
        if name in ACCOUNT_KEYS:
            if name in ("probe", "dispatcher"):
                assert seen.ttl[name] > 0
        elif name.startswith(EXPIRING):
            assert seen.ttl[name] > 0, f"{name} stays for ever"
        elif kind == "waiting_for_template":
            assert rest in seen.members("templates_waiting")
        else:
            assert kind in ("j", "d", "log"), f"{name} is nobody's"
            assert not jobs[rest].gone, f"{name} was left behind"
    for name in ("tries", "possibly_sent", "fl"):
        assert not {job_key for job_key in seen.hash(name) if jobs[job_key].gone}
