"""One SQLite database of the spool: webhooks in the order in which they came, in a file that its process alone has open."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from .raw_webhook import MOST_BYTES, RawWebhook

log = logging.getLogger(__name__)
HEAD_BYTES = 2 * MOST_BYTES
# Of SQLite's write-ahead log (https://sqlite.org/fileformat2.html#walformat).
LOG_HEAD, FRAME_HEAD, PAGE = 32, 24, 4096
DISK_ERRORS = {
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM,
}  # fmt: skip
OPEN = f"""
PRAGMA page_size = {PAGE};
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
"""
TABLE = "CREATE TABLE webhook (id INTEGER PRIMARY KEY, crc INTEGER, account TEXT, kind TEXT, at_ms INTEGER, body BLOB)"


class Damaged(Exception):
    """Raised when the file holds something else than was written."""


class SpoolDatabase:
    """Locked from when it is made until it is closed or its process ends. Methods raise ``sqlite3.Error``.

    Rows are numbered from 1 and stay; ``user_version`` is the last one that was replayed.
    """

    def __init__(self, path: Path, mode: str) -> None:
        self.path, self.size, self.waiting_bytes = path, 0, 0
        self._after = self._ahead = self._ahead_bytes = 0
        self._connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=0, check_same_thread=False
        )
        self._connection.text_factory = lambda raw: raw.decode(errors="replace")
        try:
            self._connection.executescript(OPEN)
        except BaseException:
            self.close()
            raise

    @classmethod
    def create(cls, path: Path) -> SpoolDatabase:
        """A new one."""
        try:
            made = cls(path, "rwc")
            made._connection.execute(TABLE)
        except sqlite3.Error:
            _remove(path)
            raise
        return made

    @classmethod
    def adopt(cls, path: Path) -> SpoolDatabase | None:
        """One that a dead process left; None if its process lives, or there is nothing to be read from it."""
        before = _log_of(path).read_bytes() if _log_of(path).exists() else b""
        found = None
        try:
            found = cls(path, "rw")
            found._keep_unread_log(before)
            found._after, pages = found._connection.execute(
                "SELECT user_version, page_count FROM pragma_user_version, pragma_page_count"
            ).fetchone()
        except sqlite3.Error as error:
            if found is not None:
                found.close()
            if _is_damage(error):
                _set_aside(path)
            return None
        if pages < 2:  # it died before it had made the table
            found.remove()
            return None
        found.waiting_bytes = pages * PAGE
        return found

    def _keep_unread_log(self, before: bytes) -> None:
        """SQLite ignores its log from the first damaged frame on: keep the log if it has a commit after that."""
        ((_, read, _),) = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        size = FRAME_HEAD + PAGE
        for start in range(LOG_HEAD + max(0, read) * size, len(before) - size + 1, size):
            frame = before[start : start + FRAME_HEAD]
            if any(frame[4:8]) and frame[8:16] == before[16:24]:
                self.path.with_suffix(".damaged").write_bytes(before)
                _report(len(before) - start)
                return

    def append(self, webhooks: Sequence[RawWebhook]) -> None:
        """Write and sync all of them, or none."""
        with self._connection:
            self._connection.executemany(
                "INSERT INTO webhook (crc, account, kind, at_ms, body) VALUES (?, ?, ?, ?, ?)",
                [(webhook.checksum, *webhook) for webhook in webhooks],
            )
        size = sum(webhook.size for webhook in webhooks)
        self.waiting_bytes += size
        self.size += size

    def head(self, most: int) -> list[RawWebhook]:
        """The next webhooks, not yet taken away; none when all are read. Raises ``Damaged``."""
        found: list[RawWebhook] = []
        self._ahead, self._ahead_bytes = self._after, 0
        query = "SELECT id, crc, account, kind, at_ms, body FROM webhook WHERE id > ? ORDER BY id LIMIT ?"
        try:
            with contextlib.closing(self._connection.execute(query, (self._after, most))) as rows:
                for number, crc, *row in rows:
                    webhook = RawWebhook(*row)
                    if crc != webhook.checksum or number != self._ahead + 1:
                        raise Damaged
                    found.append(webhook)
                    self._ahead = number
                    self._ahead_bytes += webhook.size
                    if self._ahead_bytes > HEAD_BYTES:
                        break
            if not found and self._connection.execute("PRAGMA quick_check").fetchone() != ("ok",):
                raise Damaged
        except (Damaged, sqlite3.Error) as error:
            if not _is_damage(error):
                raise
            if not found:
                raise Damaged from error
        return found

    def taken(self) -> None:
        """What ``head`` gave is replayed. If the disk does not take that, it may come twice after a crash."""
        self._after = self._ahead
        self.waiting_bytes = max(0, self.waiting_bytes - self._ahead_bytes)
        self._ahead_bytes = 0
        with contextlib.suppress(sqlite3.Error):
            self._connection.execute(f"PRAGMA user_version = {self._after}")

    def close(self) -> None:
        """Give it up."""
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()

    def remove(self) -> None:
        """Close and delete it."""
        self.close()
        _remove(self.path)

    def set_aside(self) -> None:
        """Keep what cannot be read."""
        self.close()
        _set_aside(self.path)


def _is_damage(error: Exception) -> bool:
    return isinstance(error, Damaged) or getattr(error, "sqlite_errorcode", 0) & 0xFF not in DISK_ERRORS


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    _log_of(path).unlink(missing_ok=True)


def _set_aside(path: Path) -> None:
    _report(path.stat().st_size)
    aside = path.rename(path.with_suffix(".damaged"))
    with contextlib.suppress(FileNotFoundError):
        _log_of(path).rename(_log_of(aside))


def _report(size: int) -> None:
    extra = {"action": "spool_damaged", "bytes": size}
    log.error("webhook spool: what cannot be read is kept as .damaged", extra=extra)
