"""No more than N messages per person in D days; what it costs is in ``interakt_jobs/ledger/lua/frequency.lua``.

The feed script includes that file and counts in the call that creates the job; this is for all else.
"""

from __future__ import annotations

from collections.abc import Sequence

from interakt_jobs.ledger.keys import prefix
from interakt_jobs.ledger.redis_client import RedisClient

from .scripts import load

TAKE, GIVE_BACK = load("frequency_take"), load("frequency_give_back")


class FrequencyCap:
    """The cap of one account."""

    def __init__(self, link: RedisClient, account: str, most: int, days: int) -> None:
        self.most, self.days = most, days
        self._link, self._keys = link, [prefix(account)]

    def take(self, hashes: Sequence[str]) -> tuple[list[bool], int]:
        """Count one message to each person whom it fits: whether it did, and when (s, for ``give_back``)."""
        *answers, taken = self._link.run(TAKE, self._keys, self.most, self.days, *hashes)
        return [answer == 1 for answer in answers], int(taken)

    def give_back(self, hashes: Sequence[str], taken: int) -> None:
        """Take off what was counted at ``taken`` and never sent."""
        self._link.run(GIVE_BACK, self._keys, taken, *hashes)
