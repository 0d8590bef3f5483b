"""Counters of this process, added to the account's in Redis once a second; what Redis does not take waits here."""

from __future__ import annotations

from collections import Counter

from interakt_jobs.ledger.keys import prefix

from .streams import Command


class Counts:
    """``add`` is called for each webhook, the rest by the guard. The fields are ``webhook|<result>``."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, account: str, result: str, number: int = 1) -> None:
        self._counts[account, result] += number

    def take(self) -> Counter[tuple[str, str]]:
        """What was counted since the last time; give it back when it could not be written."""
        taken, self._counts = self._counts, Counter()
        return taken

    def give_back(self, counts: Counter[tuple[str, str]]) -> None:
        self._counts.update(counts)


def commands(counts: Counter[tuple[str, str]]) -> list[Command]:
    """What adds them up in Redis."""
    return [
        ("HINCRBY", f"{prefix(account)}count", f"webhook|{result}", number)
        for (account, result), number in counts.items()
    ]
