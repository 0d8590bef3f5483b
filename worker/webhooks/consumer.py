"""Reads webhooks out of the streams and hands each to a handler; any worker may, for they share a consumer group.

A webhook is taken off its stream after its handler returned: if the worker dies before, another gets it again. What
cannot be read is kept raw in ``{ij1:<partition>}:<account>:webhooks:unread``.
"""

from __future__ import annotations

import contextlib
import json
import logging
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from interakt_jobs.errors import LedgerFull, LedgerUnreachable
from interakt_jobs.ledger.keys import prefix
from interakt_jobs.ledger.redis_client import RedisClient
from worker.telemetry.rate_limited_log import RateLimitedLog
from worker.threads import SupervisedThread

from .streams import stream

log = logging.getLogger(__name__)
GROUP = "ledger"
BATCH, BLOCK_MS = 100, 1000
CLAIM_IDLE_MS, CLAIM_SECONDS = 30_000, 5.0
TRIES = 3
UNREAD_MOST, UNREAD_BYTES = 10_000, 64 << 10
FORGET_MS = 3_600_000
Read = TypeVar("Read")


class Entry(NamedTuple):
    """A webhook in its stream."""

    id: bytes
    at_ms: int
    kind: str
    body: bytes


class Consumer(Generic[Read]):
    """``read(kind, body)`` makes sense of the JSON of a ``whatsapp`` or ``rcs`` webhook, or raises.

    ``handle(account, found, at_ms)`` acts on it, and must bear being called twice. With Redis away (``LedgerUnreachable``,
    ``LedgerFull``) it is tried again until that ends; after any other error, three times, the webhook is set aside.
    """

    def __init__(
        self,
        link: RedisClient,
        accounts: Sequence[str],
        read: Callable[[str, Any], Read],
        handle: Callable[[str, Read, int], None],
    ) -> None:
        self._link, self._accounts, self._read, self._handle = link, list(accounts), read, handle
        self._name = uuid.uuid4().hex[:12]
        self._seldom = RateLimitedLog()
        self._claimed = 0.0
        self._grouped = self._interrupted = False

    def thread(self, stop: Callable[[], bool]) -> SupervisedThread:
        """One that reads until ``stop`` says so, which is asked once a second and after each webhook."""
        return SupervisedThread("webhooks", lambda: self._turn(stop), stop, self._leave)

    def _turn(self, stop: Callable[[], bool]) -> None:
        try:
            self.round(stop)
        except Exception:
            self._interrupted = True
            raise

    def round(self, stop: Callable[[], bool], block_ms: int = BLOCK_MS) -> int:
        """One look at the streams; returns how many webhooks were taken off."""
        if not self._grouped:
            self._make_groups()
        if time.monotonic() - self._claimed >= CLAIM_SECONDS:
            self._claimed = time.monotonic()
            done = sum(self._take(account, self._abandoned(account), stop) for account in self._accounts)
            if done:
                self._claimed = 0.0
                return done
        if self._interrupted:
            done = self._next("0", block_ms, stop)
            self._interrupted = done > 0
            return done
        return self._next(">", block_ms, stop)

    def _next(self, after: str, block_ms: int, stop: Callable[[], bool]) -> int:
        """Take new webhooks (``>``), or those that we had in hand when we were interrupted (``0``)."""
        names = [stream(account) for account in self._accounts]
        try:
            found = self._link.command(
                "XREADGROUP", "GROUP", GROUP, self._name, "COUNT", BATCH, "BLOCK", block_ms,
                "STREAMS", *names, *[after] * len(names), timeout=block_ms / 1000 + 5,
            )  # fmt: skip
        except LedgerUnreachable as error:
            if error.word != "NOGROUP":
                raise
            self._grouped = False
            return 0
        done = 0
        for name, rows in found or ():
            account = self._accounts[names.index(name.decode())]
            done += self._take(account, _entries(rows), stop)
        return done

    def _make_groups(self) -> None:
        for account in self._accounts:
            try:
                self._link.command("XGROUP", "CREATE", stream(account), GROUP, "0", "MKSTREAM")
            except LedgerUnreachable as error:
                if error.word != "BUSYGROUP":
                    raise
        self._grouped = True

    def _abandoned(self, account: str) -> list[Entry]:
        """What a consumer took and did not finish in half a minute: it died, or its handler failed."""
        try:
            answer = self._link.command(
                "XAUTOCLAIM", stream(account), GROUP, self._name, CLAIM_IDLE_MS, "0", "COUNT", BATCH
            )
        except LedgerUnreachable as error:
            if error.word != "NOGROUP":
                raise
            self._grouped = False
            return []
        return _entries(answer[1])

    def _take(self, account: str, entries: Sequence[Entry], stop: Callable[[], bool]) -> int:
        finished: list[bytes] = []
        counts = {"read": 0, "unread": 0}
        try:
            for entry in entries:
                if stop():
                    break
                result = self._one(account, entry)
                if result:
                    counts[result] += 1
                    finished.append(entry.id)
        finally:
            self._finish(account, finished, counts)
        return len(finished)

    def _one(self, account: str, entry: Entry) -> str:
        """``read`` or ``unread`` when it is dealt with, empty when it is to be tried again; raises when Redis is away."""
        try:
            found = self._read(entry.kind, json.loads(entry.body))
        except Exception as error:  # noqa: BLE001  whatever the reader meets came from outside
            return self._set_aside(account, entry, error)
        try:
            self._handle(account, found, entry.at_ms)
        except (LedgerUnreachable, LedgerFull):
            raise
        except Exception as error:  # noqa: BLE001  one webhook must not stop the others
            if self._seldom(f"failed {account}"):
                log.error(
                    "a webhook's handler failed",
                    extra={"action": "webhook_failed", "account": account, "error": type(error).__name__},
                )
            if self._tries(account, entry) < TRIES:
                return ""
            return self._set_aside(account, entry, error)
        return "read"

    def _tries(self, account: str, entry: Entry) -> int:
        pending = self._link.command("XPENDING", stream(account), GROUP, entry.id, entry.id, 1)
        return int(pending[0][3]) if pending else TRIES

    def _set_aside(self, account: str, entry: Entry, error: BaseException) -> str:
        if self._seldom(f"unread {account}"):
            log.warning(
                "a webhook could not be read; it is kept",
                extra={"action": "webhook_unread", "account": account, "error": type(error).__name__},
            )
        try:
            self._link.command(
                "XADD", f"{stream(account)}:unread", "MAXLEN", "~", UNREAD_MOST, "*", "at", entry.at_ms,
                "kind", entry.kind, "why", type(error).__name__, "body", entry.body[:UNREAD_BYTES],
            )  # fmt: skip
        except LedgerFull:
            return ""
        return "unread"

    def _finish(self, account: str, ids: Sequence[bytes], counts: dict[str, int]) -> None:
        if not ids:
            return
        name = stream(account)
        self._link.pipeline([("XACK", name, GROUP, *ids), ("XDEL", name, *ids)])
        for word, number in counts.items():
            if number:
                with contextlib.suppress(LedgerFull):
                    self._link.command("HINCRBY", f"{prefix(account)}count", f"webhook|{word}", number)

    def _leave(self) -> None:
        """Take our name off the group, and those of consumers long gone, unless they have webhooks in hand."""
        for account in self._accounts:
            flat = self._link.command("XINFO", "CONSUMERS", stream(account), GROUP)
            for each in flat:
                facts = dict(zip(each[::2], each[1::2], strict=True))
                name, pending, idle = facts[b"name"].decode(), facts[b"pending"], facts[b"idle"]
                if pending == 0 and (name == self._name or idle > FORGET_MS):
                    self._link.command("XGROUP", "DELCONSUMER", stream(account), GROUP, name)


def _entries(rows: Sequence[Any]) -> list[Entry]:
    found = []
    for row in rows:
        if row is None or row[1] is None:
            continue
        fields = dict(zip(row[1][::2], row[1][1::2], strict=True))
        at = fields.get(b"at", b"0")
        kind = fields.get(b"kind", b"whatsapp").decode("ascii", "replace")
        found.append(Entry(row[0], int(at) if at.isdigit() else 0, kind, fields.get(b"body", b"")))
    return found
