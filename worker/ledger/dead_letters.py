"""Dead letters as a workbench: list, show, edit, replay, drop. Every act leaves a line in the audit stream."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import schemas
from interakt_jobs import settings
from interakt_jobs.check import check_size
from interakt_jobs.errors import NoSuchJob, NotCancellable
from interakt_jobs.ledger.keys import job_id
from interakt_jobs.ledger.record import group_of, recipient_of
from interakt_jobs.ledger.redis_client import pairs

from .audit import user
from .work_ledger import WorkLedger, load

REPLAY, EDIT, DROP = load("replay"), load("edit"), load("drop")
PAGE, DROPPED = 200, 500


@dataclass(frozen=True, slots=True)
class Filter:
    """Which dead letters; an empty field matches all. Ages are seconds, ``text`` a regular expression on the error."""

    reason: str = ""
    operation: str = ""
    template: str = ""
    lane: str = ""
    older: float = 0
    newer: float = 0
    text: str = ""
    delivery_failed: bool = False


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One line of the list; ``at`` is milliseconds since the epoch."""

    job_key: str
    id: str
    operation: str
    lane: str
    reason: str
    error: str
    status: int | None
    at: int
    attempts: int
    group: str


class DeadLetters:
    """The dead letters of one account; ``who`` stands in the audit line."""

    def __init__(self, ledger: WorkLedger, who: str = "") -> None:
        self.ledger = ledger
        self.who = who or user()

    def find(self, wanted: Filter | None = None) -> Iterator[DeadLetter]:
        """Matching dead letters, newest first, in constant memory."""
        wanted = wanted or Filter()
        pattern = re.compile(wanted.text, re.IGNORECASE) if wanted.text else None
        now = time.time() * 1000
        high = f"({now - wanted.older * 1000:.0f}" if wanted.older else "+inf"
        low = f"{now - wanted.newer * 1000:.0f}" if wanted.newer else "-inf"
        for job_key, at in self._tails("failed" if wanted.delivery_failed else "dead", low, high):
            letter = self.letter(job_key, at, wanted.delivery_failed)
            if letter and _matches(letter, wanted, pattern):
                yield letter

    def _tails(self, zset: str, low: str, high: str) -> Iterator[tuple[str, int]]:
        """Every member once, though the set may change meanwhile: each page starts at the last one's score."""
        seen: set[str] = set()
        while True:
            found = self.ledger.link.command(
                "ZRANGE", f"{self.ledger.prefix}{zset}", high, low, "BYSCORE", "REV",
                "LIMIT", 0, PAGE + len(seen), "WITHSCORES",
            )  # fmt: skip
            page = {job_key.decode(): int(float(at)) for job_key, at in pairs(found).items()}
            fresh = [(job_key, at) for job_key, at in page.items() if job_key not in seen]
            if not fresh:
                return
            yield from fresh
            last = fresh[-1][1]
            seen = {job_key for job_key, at in page.items() if at == last}
            high = str(last)

    def since(self, at: int) -> Iterator[tuple[str, int]]:
        """Tails, and when (ms), of what died at ``at`` or later, newest first."""
        return self._tails("dead", str(at), "+inf")

    def letter(self, job_key: str, at: int, delivery_failed: bool = False) -> DeadLetter | None:
        """One line of the list; None when it is no dead letter any more."""
        identity = job_id(self.ledger.account, job_key)
        if not delivery_failed:
            raw = self.ledger.link.command("GET", f"{self.ledger.prefix}d:{job_key}")
            if not raw:
                return None
            found: dict[str, Any] = json.loads(raw)
            return DeadLetter(
                job_key, identity, found["op"], found["lane"], found["reason"], found.get("error") or "",
                found.get("status"), at, int(found.get("attempts", 0)), found.get("group", ""),
            )  # fmt: skip
        try:
            reading = self.ledger.read(job_key)
        except NoSuchJob:
            return None
        return DeadLetter(
            job_key, identity, reading.operation, reading.lane, "delivery_failed", reading.delivery, reading.status, at,
            reading.attempts, group_of(reading.payload) if isinstance(reading.payload, dict) else "",
        )  # fmt: skip

    def edit(self, job_key: str, payload: dict[str, Any], *, allow_unknown: bool = False) -> None:
        """Replace the payload, checked as a new one is.

        Raises ``schemas.Invalid``, ``PayloadError`` for its size, ``NoSuchJob`` and ``NotCancellable``.
        """
        operation = self.ledger.read(job_key).operation
        schemas.check(operation, schemas.complete(operation, payload), allow_unknown=allow_unknown)
        text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
        check_size(text, settings.max_payload_bytes())
        answer = self.ledger.link.run(
            EDIT, [self.ledger.prefix], job_key, text, recipient_of(payload), group_of(payload), self.who
        ).decode()
        if answer == "missing":
            raise NoSuchJob(f"no job {job_id(self.ledger.account, job_key)}")
        if answer == "alive":
            raise NotCancellable(job_id(self.ledger.account, job_key), "not a dead letter")

    def replay(
        self, job_key: str, *, allow_duplicates: bool = False, delay: float = 0, dry_run: bool = False
    ) -> str:
        """Send one again after ``delay`` seconds, with all checks of a new send.

        Returns replayed, missing, alive, no_payload, or unknown_outcome: that one needs ``allow_duplicates``.
        """
        answer: bytes = self.ledger.link.run(
            REPLAY, [self.ledger.prefix],
            job_key, int(allow_duplicates), self.who, int(delay * 1000), int(dry_run), "0", repeat=5,
        )  # fmt: skip
        return answer.decode()

    def replay_all(
        self, wanted: Filter, *, per_minute: float = 0, allow_duplicates: bool = False, dry_run: bool = False
    ) -> Iterator[tuple[DeadLetter, str]]:
        """Replay what matches, spread over time when ``per_minute`` is above 0; yields each with what became of it."""
        spacing = 60 / per_minute if per_minute else 0.0
        replayed = 0
        for letter in list(self.find(wanted)):
            answer = self.replay(
                letter.job_key, allow_duplicates=allow_duplicates, delay=replayed * spacing, dry_run=dry_run
            )
            replayed += answer == "replayed"
            yield letter, answer

    def drop(self, *job_keys: str) -> int:
        """Drop dead letters for good; returns how many there were."""
        return sum(
            int(self.ledger.link.run(DROP, [self.ledger.prefix], self.who, *job_keys[at : at + DROPPED]))
            for at in range(0, len(job_keys), DROPPED)
        )

    def are_dead(self, job_keys: Sequence[str]) -> list[str]:
        """Those of ``job_keys`` that are dead letters."""
        found: list[str] = []
        for at in range(0, len(job_keys), DROPPED):
            some = job_keys[at : at + DROPPED]
            scores = self.ledger.link.command("ZMSCORE", f"{self.ledger.prefix}dead", *some)
            found += [job_key for job_key, score in zip(some, scores, strict=True) if score is not None]
        return found

    def purge(self, keep_seconds: float, keep_count: int, most: int = 200) -> int:
        """Drop what is older than ``keep_seconds`` or beyond the newest ``keep_count``; at most ``most`` a call."""
        zset = f"{self.ledger.prefix}dead"
        limit = self.ledger.link.now_ms() - int(keep_seconds * 1000)
        for name in ("failed", "ambiguous"):
            self.ledger.link.command("ZREMRANGEBYSCORE", f"{self.ledger.prefix}{name}", "-inf", f"({limit}")
        old = self.ledger.link.command("ZRANGE", zset, "-inf", f"({limit}", "BYSCORE", "LIMIT", 0, most)
        surplus = int(self.ledger.link.command("ZCARD", zset)) - keep_count
        if surplus > 0:
            old = [*old, *self.ledger.link.command("ZRANGE", zset, 0, min(most, surplus) - 1)]
        return self.drop(*{job_key.decode() for job_key in old})


def _matches(letter: DeadLetter, wanted: Filter, pattern: re.Pattern[str] | None) -> bool:
    return (
        (not wanted.reason or letter.reason == wanted.reason)
        and (not wanted.operation or letter.operation == wanted.operation)
        and (not wanted.lane or letter.lane == wanted.lane)
        and (not wanted.template or letter.group.partition(":")[0] == wanted.template)
        and (pattern is None or bool(pattern.search(letter.error)))
    )
