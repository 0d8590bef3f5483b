"""Where webhooks wait on disk while Redis cannot take them, in order, and synced before anyone is answered.

Each process has an SQLite database of its own, locked by SQLite for as long as the process lives; what a dead one left is
adopted by the next to look. Its files are removed as soon as nothing waits in them.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import sqlite3
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

from .raw_webhook import MOST_BYTES, RawWebhook
from .spool_database import Damaged, SpoolDatabase

DATABASE_BYTES = 16 << 20


class SpoolFull(Exception):
    """Raised when the spool holds as much as it may."""


class Spool:
    """A queue on disk under ``root``, at most ``most_bytes`` of it. ``append`` and the rest may run in different threads.

    ``database_bytes`` is about how large one database grows: its disk is free again when all of it is replayed.
    Raises ``OSError`` when nothing can be written there, unless the disk is only full.
    """

    def __init__(self, root: Path, most_bytes: int = 1 << 30, database_bytes: int = DATABASE_BYTES) -> None:
        self.root, self._most, self._database_bytes = root, most_bytes, database_bytes
        self._databases: list[SpoolDatabase] = []
        self._own: SpoolDatabase | None = None
        self._heading: SpoolDatabase | None = None
        self._lock = threading.Lock()
        try:
            self._write_and_sync()
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise

    @property
    def waiting_bytes(self) -> int:
        """Bytes not yet replayed, as far as is known; never waits for the disk."""
        return sum(each.waiting_bytes for each in tuple(self._databases))

    @property
    def empty(self) -> bool:
        """Whether nothing waits."""
        return self.waiting_bytes == 0

    def try_out(self) -> None:
        """Write and sync as a webhook would be, and leave nothing; raises ``SpoolFull`` or ``OSError``."""
        self._check_room(MOST_BYTES)
        self._write_and_sync()

    def _write_and_sync(self) -> None:
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=self.root) as file:
            os.posix_fallocate(file.fileno(), 0, MOST_BYTES)
            os.fdatasync(file.fileno())

    def _check_room(self, size: int) -> None:
        if self.waiting_bytes + size > self._most:
            raise SpoolFull(f"the webhook spool holds {self._most} bytes")

    def append(self, webhooks: Sequence[RawWebhook]) -> None:
        """Keep webhooks; they are synced when this returns. Raises ``SpoolFull`` or ``OSError``, and then none is kept."""
        self._check_room(sum(webhook.size for webhook in webhooks))
        with self._lock, _disk_errors():
            if self._own is None or self._own.size >= self._database_bytes:
                self._own = self._create()
            try:
                self._own.append(webhooks)
            except sqlite3.Error:
                self._own = None  # after a failed sync nobody knows what the next one would promise
                raise

    def _create(self) -> SpoolDatabase:
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(self.root):
            made = SpoolDatabase.create(self.root / f"{time.time_ns():020d}-{uuid.uuid4().hex}.db")
            self._databases.append(made)
        return made

    def head(self, most: int = 500) -> list[RawWebhook]:
        """The oldest webhooks, still kept until ``taken``."""
        with self._lock, _disk_errors():
            while self._databases:
                self._heading = self._databases[0]
                try:
                    if found := self._heading.head(most):
                        return found
                    self._heading.remove()
                except Damaged:
                    self._heading.set_aside()
                self._forget(self._heading)
            return []

    def _forget(self, database: SpoolDatabase) -> None:
        self._databases.remove(database)
        self._heading = None
        if database is self._own:
            self._own = None

    def taken(self) -> None:
        """Forget what ``head`` gave."""
        with self._lock:
            if self._heading is not None:
                self._heading.taken()

    def adopt(self) -> int:
        """Take over what dead processes left, oldest first; returns how many bytes wait in it."""
        with _locked(self.root):
            ours = {each.path for each in self._databases}
            paths = [path for path in sorted(self.root.glob("*.db")) if path not in ours]
            found = [adopted for path in paths if (adopted := SpoolDatabase.adopt(path))]
        with self._lock:
            self._databases[:0] = found
        return sum(each.waiting_bytes for each in found)

    def close(self) -> None:
        """Give the databases up; what is left in them is adopted by another process."""
        with self._lock:
            for each in self._databases:
                if each.waiting_bytes:
                    each.close()
                else:
                    each.remove()
            self._databases.clear()


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One process at a time makes or adopts databases, so that none is adopted before its maker has locked it."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise OSError(str(error)) from error
