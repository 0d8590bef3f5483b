"""The ledger as it lies in Redis at one moment, read with plain commands: no code is shared with what is tested."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import redis

from interakt_jobs.ledger.keys import CELERY
from interakt_jobs.ledger.keys import prefix as prefix_of
from tests.waiting import Patience

LANES = ("urgent", "normal", "bulk")
HARMLESS = ("_kombu.binding", "unacked_mutex")
# one script, so that no job moves from one key to another between two reads
READ_ALL = """
local read = {string = {'GET'}, zset = {'ZRANGE', 0, -1}, hash = {'HGETALL'}, list = {'LRANGE', 0, -1}, set = {'SCARD'}}
local found = {}
for _, key in ipairs(redis.call('KEYS', '{ij1*')) do
    local how = read[redis.call('TYPE', key).ok]
    found[#found + 1] = {key, how and redis.call(how[1], key, unpack(how, 2)) or 1}
end
return found
"""


@dataclass
class Job:
    """One job: its raw record, where it is found, its dead letter, and what the application is told of it."""

    job_key: str
    raw: str = ""
    places: list[str] = field(default_factory=list)
    dead: dict[str, Any] | None = None
    maybe: bool = False
    litter: list[str] = field(default_factory=list)
    replays: int = 0
    told: list[dict[str, Any]] = field(default_factory=list)

    @property
    def end(self) -> str:
        """done, dead or cancelled; empty while it lives."""
        if self.raw.startswith("="):
            return self.raw[1:].partition("|")[0]
        return "dead" if self.places == ["dead"] and self.dead else ""

    @property
    def _short(self) -> list[str]:
        return self.raw.partition("\n")[0][1:].split("|", 9)

    @property
    def attempts(self) -> int:
        if self.raw.startswith("="):
            return int(self._short[4])
        return int((self.dead or {}).get("attempts", 0))

    @property
    def ambiguous(self) -> bool:
        """Marked as perhaps sent twice."""
        if self.raw.startswith("="):
            return int(self._short[5]) & 1 == 1
        return self.maybe or bool((self.dead or {}).get("ambiguous"))

    @property
    def payload(self) -> Any:
        """The payload of a living or dead job; raises ``ValueError`` when it cannot be read."""
        return json.loads(self.raw.split("\n", 2)[2]) if self.raw.count("\n") >= 2 else json.loads("")


@dataclass
class Snapshot:
    """One account's jobs by job_key, and what Celery's own keys still hold (key -> entries)."""

    jobs: dict[str, Job] = field(default_factory=dict)
    celery: dict[str, int] = field(default_factory=dict)


class _Jobs(dict[str, Job]):
    def __missing__(self, job_key: str) -> Job:
        self[job_key] = Job(job_key)
        return self[job_key]


def sort_out(keys: Mapping[str, Any], job_keys: Iterable[str], account: str = "default") -> Snapshot:
    """Everything about ``job_keys``, and about whatever else lies in the account, from the values of all keys."""
    jobs, celery, prefix = _Jobs(), {}, prefix_of(account)
    for job_key in job_keys:
        jobs[job_key]
    for key, value in keys.items():
        if key.startswith(CELERY):
            name = key[len(CELERY) :]
            if not name.startswith(HARMLESS) and (size := _size(value)):
                celery[name] = size
        elif key.startswith(prefix):
            _sort(jobs, key[len(prefix) :], value)
    for entry in map(json.loads, keys.get(f"{prefix}outbox", ())):
        if entry["id"] in jobs:
            jobs[entry["id"]].told.append(entry)
    for job in jobs.values():
        if job.raw.startswith("="):
            job.places.append(job.end)
    return Snapshot(dict(jobs), celery)


def _sort(jobs: _Jobs, name: str, value: Any) -> None:
    group, _, rest = name.partition(":")
    if group == "j":
        jobs[rest].raw = value
    elif group == "d":
        jobs[rest].dead = json.loads(value)
    elif group == "replays":
        jobs[rest].replays = int(value)
    elif group == "log":
        jobs[rest].litter.append("log")
    elif group in ("ready", "waiting_for_template") or name in ("held", "dead"):
        for job_key in value:
            jobs[job_key].places.append(name)
    elif name == "fl":
        for job_key, flight in _pairs(value):
            jobs[job_key].places.append("flight " + flight.partition("|")[0])
    elif name in ("possibly_sent", "tries", "ending"):  # what follows must not outlive a job
        for job_key, said in _pairs(value):
            jobs[job_key].litter.append(name)
            jobs[job_key].maybe |= name == "possibly_sent" and said == "2"
    elif group in ("rel", "run", "expires"):
        for job_key in value:
            jobs[job_key].litter.append(name)


def _pairs(value: list[str]) -> Iterator[tuple[str, str]]:
    return zip(value[::2], value[1::2], strict=True)


def _size(value: Any) -> int:
    return value if isinstance(value, int) else len(value)


class Reader:
    """Reads one account of one Redis."""

    def __init__(self, url: str, account: str = "default") -> None:
        self.redis: Any = redis.Redis.from_url(
            url,
            socket_timeout=30,
            socket_connect_timeout=30,
            decode_responses=True,
            encoding_errors="replace",
        )
        self.account = account

    def snapshot(self, job_keys: Iterable[str]) -> Snapshot:
        """All that there is, at one moment."""
        return sort_out(dict(self.redis.eval(READ_ALL, 0)), job_keys, self.account)

    def unfinished(self) -> tuple[int, Counter[str]]:
        """How many jobs have not ended, and what is in each place that is not an end or in Celery's queues."""
        prefix = prefix_of(self.account)
        places = [f"{prefix}ready:{lane}" for lane in LANES] + [f"{prefix}held"]
        places += self.redis.scan_iter(match=f"{prefix}waiting_for_template:*", count=5000)
        leases = [f"{prefix}{kind}:{lane}" for kind in ("rel", "run") for lane in LANES]
        pipe = self.redis.pipeline()
        for name in places + leases:
            pipe.zcard(name)
        pipe.hlen(f"{prefix}fl")
        names = [name.removeprefix(prefix) for name in [*places, *leases, "fl"]]
        counts = Counter(dict(zip(names, pipe.execute(), strict=True)))
        jobs = sum(counts.values()) - sum(counts[name.removeprefix(prefix)] for name in leases)
        for key in self.redis.scan_iter(match=f"{CELERY}*", count=1000):
            if not key.startswith(HARMLESS, len(CELERY)):
                size = {"list": self.redis.llen, "zset": self.redis.zcard, "hash": self.redis.hlen}
                counts[key.removeprefix(CELERY)] = size.get(self.redis.type(key), lambda _: 1)(key)
        return jobs, +counts

    def settle_down(self, still: float = 60.0, most: float = 1800.0) -> str:
        """Wait until all has ended, for as long as more ends: at most ``still`` seconds without, ``most`` in all.

        Empty when all has ended; else ``stuck: ...`` or ``slow: ...``.
        """
        patience = Patience(still, most)
        while True:
            try:
                jobs, left = self.unfinished()
            except redis.RedisError:
                jobs, left = 1 << 60, Counter({"redis away": 1})
            if not left:
                return ""
            if why := patience.over((jobs, sum(left.values()))):
                return f"{why}; left are {dict(left)}"
            time.sleep(0.1)
