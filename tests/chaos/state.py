"""The ledger as it lies in Redis, read with plain commands: no code is shared with what is tested."""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import redis

CELERY = b"ij1:celery:"
LANES = ("urgent", "normal", "bulk")
HARMLESS = ("_kombu.binding", "unacked_mutex")


@dataclass
class Job:
    """One job: its raw record, where it is found, and its dead letter."""

    tail: str
    raw: str = ""
    places: list[str] = field(default_factory=list)
    dead: dict[str, Any] | None = None
    maybe: bool = False
    litter: list[str] = field(default_factory=list)
    replays: int = 0

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
            return self._short[5] == "1"
        return self.maybe or bool((self.dead or {}).get("ambiguous"))

    @property
    def payload(self) -> Any:
        """The payload of a living or dead job; raises ``ValueError`` when it cannot be read."""
        return json.loads(self.raw.split("\n", 2)[2]) if self.raw.count("\n") >= 2 else json.loads("")


@dataclass
class Snapshot:
    """One account's jobs by tail, and what Celery's own keys still hold (key -> entries)."""

    jobs: dict[str, Job] = field(default_factory=dict)
    celery: dict[str, int] = field(default_factory=dict)


class Reader:
    """Reads one account of one Redis."""

    def __init__(self, url: str, account: str = "default") -> None:
        self.redis: Any = redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=3)
        self.prefix = f"ij1:{account}:"

    def _key(self, name: str) -> str:
        return self.prefix + name

    def snapshot(self, tails: Iterable[str]) -> Snapshot:
        """Everything about ``tails``, and about whatever else lies in the account."""
        jobs: defaultdict[str, Job] = defaultdict(lambda: Job(""))
        for tail in tails:
            jobs[tail] = Job(tail)
        for key in self.redis.scan_iter(match=self._key("*"), count=5000):
            name = key.decode()[len(self.prefix) :]
            group, _, rest = name.partition(":")
            if group == "j" or (group in ("d", "log") and rest not in jobs):
                jobs[rest].tail = rest
            elif group in ("ready", "parked") or name == "held":
                for member in self._members(name):
                    jobs[member].tail = member
                    jobs[member].places.append(name)
        for member in self._members("dead"):
            jobs[member].tail = member
            jobs[member].places.append("dead")
        for member, value in self._hash("fl"):
            jobs[member].tail = member
            jobs[member].places.append("flight " + value.partition("|")[0])
        self._records(jobs)
        self._litter(jobs)
        for job in jobs.values():
            if job.raw.startswith("="):
                job.places.append(job.end)
        celery = {name: size for name, size in self._celery() if size}
        return Snapshot(dict(jobs), celery)

    def _records(self, jobs: dict[str, Job]) -> None:
        tails = list(jobs)
        for start in range(0, len(tails), 1000):
            part = tails[start : start + 1000]
            raws = self.redis.mget([self._key(f"j:{tail}") for tail in part])
            deads = self.redis.mget([self._key(f"d:{tail}") for tail in part])
            for tail, raw, dead in zip(part, raws, deads, strict=True):
                jobs[tail].raw = raw.decode("utf-8", "replace") if raw else ""
                jobs[tail].dead = json.loads(dead) if dead else None

    def _litter(self, jobs: dict[str, Job]) -> None:
        """What must not outlive a job: its counters, its log, its leases, its deadline."""
        for tail, value in self._hash("maybe"):
            jobs[tail].tail = tail
            jobs[tail].maybe = value == "2"
        for key in self.redis.scan_iter(match=self._key("replays:*"), count=5000):
            tail = key.decode()[len(self._key("replays:")) :]
            jobs[tail].tail, jobs[tail].replays = tail, int(self.redis.get(key) or 0)
        found: list[tuple[str, str]] = [(tail, "maybe") for tail, _ in self._hash("maybe")]
        found += [(tail, "tries") for tail, _ in self._hash("tries")]
        found += [(tail, "expires") for tail in self._members("expires")]
        for lane in LANES:
            for name in (f"rel:{lane}", f"run:{lane}"):
                found += [(tail, name) for tail in self._members(name)]
        for tail, name in found:
            jobs[tail].tail = tail
            jobs[tail].litter.append(name)
        for key in self.redis.scan_iter(match=self._key("log:*"), count=5000):
            tail = key.decode()[len(self._key("log:")) :]
            jobs[tail].litter.append("log")

    def _members(self, name: str) -> Iterator[str]:
        for member in self.redis.zrange(self._key(name), 0, -1):
            yield member.decode()

    def _hash(self, name: str) -> Iterator[tuple[str, str]]:
        for tail, value in self.redis.hgetall(self._key(name)).items():
            yield tail.decode(), value.decode("utf-8", "replace")

    def _celery(self) -> Iterator[tuple[str, int]]:
        for key in self.redis.scan_iter(match=CELERY + b"*", count=1000):
            name = key[len(CELERY) :].decode("utf-8", "replace")
            if name.startswith(HARMLESS):
                continue
            kind = self.redis.type(key)
            size = {b"list": self.redis.llen, b"zset": self.redis.zcard, b"hash": self.redis.hlen}.get(kind)
            yield name, size(key) if size else 1

    def unfinished(self) -> Counter[str]:
        """How many jobs are in each place that is not an end, and what waits in Celery's queues."""
        names = [f"{kind}:{lane}" for kind in ("ready", "rel", "run") for lane in LANES] + ["held"]
        pipe = self.redis.pipeline(transaction=False)
        for name in names:
            pipe.zcard(self._key(name))
        pipe.hlen(self._key("fl"))
        counts = Counter(dict(zip([*names, "fl"], pipe.execute(), strict=True)))
        for key in self.redis.scan_iter(match=self._key("parked:*"), count=5000):
            counts[key.decode()[len(self.prefix) :]] = self.redis.zcard(key)
        counts.update(dict(self._celery()))
        return +counts

    def settle_down(self, timeout: float) -> Counter[str]:
        """Wait until nothing is unfinished; returns what still is after ``timeout`` seconds."""
        end = time.monotonic() + timeout
        while True:
            try:
                left = self.unfinished()
                if not left:
                    return left
            except redis.RedisError:
                left = Counter({"redis away": 1})
            if time.monotonic() > end:
                return left
            time.sleep(0.1)
