"""A Redis that has lost its data does not know it; the workers that live do: they register anew and raise the alarm."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from interakt_jobs.ledger.keys import ACCOUNTS
from interakt_jobs.ledger.redis_client import pairs
from worker.ledger.work_ledger import WorkLedger, load
from worker.telemetry import sentry

log = logging.getLogger(__name__)
RESTORE = load("restore")
# A crash may cost the seconds that were not yet on disk; a backup or a replica far behind costs more.
BACK_MS = 10_000
LOST, OLDER = "empty", "older"
FORGET = frozenset({b"since", b"full", b"inbound_at", b"lost_mark", b"lost_at", b"lost_why"})


class Witness:
    """Remembers the state of each account as it was a moment ago."""

    def __init__(self, ledgers: Sequence[WorkLedger]) -> None:
        self._ledgers = list(ledgers)
        self._states: dict[str, dict[bytes, bytes]] = {}
        self._newest = self._older = 0

    def look(self, newest: int) -> None:
        """Compare with what is there now; ``newest`` is the time in ms of the newest beat in Redis, 0 for none."""
        if 0 < newest < self._newest - BACK_MS:
            self._older = newest
        link, names = self._ledgers[0].link, [each.account for each in self._ledgers]
        if 0 in link.command("SMISMEMBER", ACCOUNTS, *names):
            link.command("SADD", ACCOUNTS, *names)
        for ledger in self._ledgers:
            state = pairs(link.command("HGETALL", f"{ledger.prefix}state"))
            before = self._states.get(ledger.account, state)
            since = before.get(b"since", b"")
            if self._older:
                self._restore(ledger, before, f"older {self._older}", OLDER)
            elif state.get(b"since") != since:
                self._restore(ledger, before, f"lost {since.decode()}", LOST)
            else:
                self._states[ledger.account] = state
        self._newest, self._older = newest, 0

    def _restore(self, ledger: WorkLedger, before: dict[bytes, bytes], mark: str, why: str) -> None:
        kept = [part for name, value in before.items() if name not in FORGET for part in (name, value)]
        first, since = ledger.link.run(RESTORE, [ledger.prefix], mark, why, *kept)
        self._states[ledger.account] = {**before, b"since": since}
        if first:
            extra = {"action": "data_lost", "account": ledger.account, "reason": why}
            log.critical("Redis has lost data (%s): bulk waits for account confirm-loss", why, extra=extra)
            sentry.capture("data_lost", "ledger", "", 0, ledger.account)
