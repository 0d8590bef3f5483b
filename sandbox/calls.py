"""The record of every call that arrived, in bounded memory."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

_CALLS = 1 << 20


class Call(NamedTuple):
    """One call; ``status`` is None while, or because, nothing was answered."""

    arrived: float
    operation: str
    account: str | None
    job: str | None
    status: int | None
    accepted: bool
    fault: str | None
    path: str


class CallLog:
    """The last ``keep`` calls, bodies of the last ``keep_bodies``, and running counts of all.

    A call's number (``seq``) starts at 1; the id of what it created is made from that number.
    """

    def __init__(self, keep: int, keep_bodies: int) -> None:
        self.keep, self.keep_bodies = keep, keep_bodies
        self.clear()

    def clear(self) -> None:
        """Forget everything; ids of a new run differ from those before."""
        self._rows: list[Call] = []
        self._bodies: dict[int, Any] = {}
        self._jobs: dict[str, int] = {}
        self.first = 1
        self.counts: Counter[tuple[str, int | None, bool]] = Counter()
        self.repeated: dict[str, None] = {}
        noise = secrets.token_hex(8)
        self._prefix = f"{noise[:8]}-{noise[8:12]}-4{noise[12:15]}-a{secrets.token_hex(2)[:3]}-"

    @property
    def next(self) -> int:
        """The number that the next call gets."""
        return self.first + len(self._rows)

    def id_of(self, seq: int) -> str:
        """A UUID for what call ``seq`` created."""
        return f"{self._prefix}{seq:012x}"

    def add(self, call: Call, body: Any) -> int:
        """Remember a call and give its number."""
        seq = self.next
        self._rows.append(call)
        self.counts[call.operation, call.status, call.accepted] += 1
        if self.keep_bodies:
            self._bodies[seq] = body
            self._bodies.pop(seq - self.keep_bodies, None)
        if call.job is not None:
            before = self._jobs.get(call.job, 0)
            if call.accepted and before % _CALLS and len(self.repeated) < 1000:
                self.repeated[call.job] = None
            self._jobs[call.job] = before + _CALLS + call.accepted
        if len(self._rows) > self.keep + self.keep // 10:
            self._trim(len(self._rows) - self.keep)
        return seq

    def _trim(self, many: int) -> None:
        for call in self._rows[:many]:
            if call.job is not None:
                self._jobs.pop(call.job, None)
        del self._rows[:many]
        self.first += many

    def answered(self, seq: int, status: int) -> None:
        """The answer of call ``seq`` has left."""
        index = seq - self.first
        if index < 0 or index >= len(self._rows):
            return
        call = self._rows[index]
        self.counts[call.operation, call.status, call.accepted] -= 1
        self._rows[index] = call = call._replace(status=status)
        self.counts[call.operation, call.status, call.accepted] += 1

    def page(self, since: int, limit: int, bodies: bool) -> dict[str, Any]:
        """Calls after number ``since``, at most ``limit``, and the number to ask for ``next``."""
        start = max(0, since + 1 - self.first)
        rows = self._rows[start : start + limit]
        calls = []
        for seq, call in enumerate(rows, self.first + start):
            row = {"seq": seq, **call._asdict(), "id": self.id_of(seq) if call.accepted else None}
            if bodies:
                row["body"] = self._bodies.get(seq)
            calls.append(row)
        return {"calls": calls, "next": calls[-1]["seq"] if calls else since}

    def jobs(self) -> Iterator[bytes]:
        """Lines ``job <tab> times accepted <tab> calls``, a thousand at a time."""
        items = list(self._jobs.items())
        for start in range(0, len(items), 1000):
            lines = (f"{job}\t{n % _CALLS}\t{n // _CALLS}\n" for job, n in items[start : start + 1000])
            yield "".join(lines).encode()

    def arrivals(self) -> Iterator[bytes]:
        """Lines ``arrived, operation, account, status, accepted, job``, tab separated."""
        rows = self._rows[:]
        for start in range(0, len(rows), 1000):
            yield "".join(
                f"{call.arrived:.6f}\t{call.operation}\t{call.account or ''}\t"
                f"{'' if call.status is None else call.status}\t{int(call.accepted)}\t{call.job or ''}\n"
                for call in rows[start : start + 1000]
            ).encode()
