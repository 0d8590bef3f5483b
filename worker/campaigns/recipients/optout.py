"""Who has opted out of an account's marketing: a set of recipient hashes, ``{ij1:<partition>}:<account>:optout``.

Numbers are not kept, so the list cannot be turned back into one; about 75 bytes of Redis a person.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from interakt_jobs.ledger.keys import prefix
from interakt_jobs.ledger.redis_client import RedisClient
from interakt_jobs.recipient import earlier_hashes, recipient_hash

_CHUNK = 1000


class OptOut:
    """The list of one account. ``starting.lua`` asks the same key before each bulk message."""

    def __init__(self, link: RedisClient, account: str) -> None:
        self._link, self._prefix = link, prefix(account)
        self.key = f"{self._prefix}optout"

    def add(self, digits: str) -> bool:
        """Add a person by E.164 digits; whether they were not in it before."""
        known = self.has(digits)
        self._decided(digits)
        self._link.command("SADD", self.key, recipient_hash(digits))
        return not known

    def remove(self, digits: str) -> bool:
        """Take a person out; whether they were in it."""
        self._decided(digits)
        return bool(self._link.command("SREM", self.key, recipient_hash(digits), *earlier_hashes(digits)))

    def _now(self) -> int:
        return int(self._link.command("TIME")[0]) * 1000

    def _decided(self, digits: str) -> None:
        """From now on a STOP or START that the person wrote earlier does not count."""
        self._link.command("ZADD", f"{self._prefix}decided", "GT", self._now(), recipient_hash(digits))

    def has(self, digits: str) -> bool:
        return self.check([digits])[0]

    def check(self, people: Sequence[str]) -> list[bool]:
        """One answer for each person's digits; ``RecipientReader`` asks for a thousand rows at once."""
        self.bring_over(people)
        return self._are_in([recipient_hash(digits) for digits in people])

    def bring_over(self, people: Iterable[str]) -> None:
        """Keep by today's form of their number those whom an earlier release kept by another form of it."""
        now = {old: recipient_hash(digits) for digits in people for old in earlier_hashes(digits)}
        found = [old for old, known in zip(now, self._are_in(list(now)), strict=True) if known]
        if found:
            self._link.command("SADD", self.key, *(now[old] for old in found))
            self._link.command("SREM", self.key, *found)

    def _are_in(self, hashes: Sequence[str]) -> list[bool]:
        found = self._link.command("SMISMEMBER", self.key, *hashes) if hashes else ()
        return [answer == 1 for answer in found]

    def count(self) -> int:
        return int(self._link.command("SCARD", self.key))

    def add_all(self, people: Iterable[str]) -> tuple[int, int]:
        """Add people by digits, streaming: how many were new, and how many there were in all."""
        rest, new, number = iter(people), 0, 0
        while chunk := list(islice(rest, _CHUNK)):
            new += self.add_hashes(map(recipient_hash, chunk))
            number += len(chunk)
        return new, number

    def open(self) -> dict[str, dict[str, Any]]:
        """STOPs of unknown numbers: the kept message by the name that ``settle`` takes."""
        flat = self._link.command("HGETALL", f"{self.key}_open")
        return {name.decode(): json.loads(kept) for name, kept in zip(flat[::2], flat[1::2], strict=True)}

    def settle(self, name: str, digits: str) -> bool:
        """Add the person who sent an open STOP; False when there is none of that name."""
        if not self._link.command("HEXISTS", f"{self.key}_open", name):
            return False
        self.add(digits)
        self._link.command("HDEL", f"{self.key}_open", name)
        return True

    def hashes(self) -> Iterator[str]:
        """Every member, streaming; one may come twice while the set grows."""
        cursor = b"0"
        while True:
            cursor, members = self._link.command("SSCAN", self.key, cursor, "COUNT", _CHUNK)
            yield from (member.decode() for member in members)
            if cursor == b"0":
                return

    def add_hashes(self, hashes: Iterable[str]) -> int:
        """Add what ``hashes`` of another Redis gave; how many were new."""
        self._link.command("HSET", f"{self._prefix}state", "optout_imported", self._now())
        rest, new = iter(hashes), 0
        while chunk := list(islice(rest, _CHUNK)):
            new += int(self._link.command("SADD", self.key, *chunk))
        return new
