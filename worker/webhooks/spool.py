"""Where webhooks wait on disk while Redis cannot take them: files of framed events, synced before anyone is answered.

Each process has a folder of its own, locked for as long as it lives; what a dead one left is adopted by the next to look.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import tempfile
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from .raw_webhook import MOST_FRAME, Event
from .segment import Segment

SEGMENT_BYTES = 16 << 20


class SpoolFull(Exception):
    """Raised when the spool holds as much as it may."""


class _Folder:
    """A locked folder; the lock is the process's own, so it is free the moment the process is gone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise

    @classmethod
    def make(cls, root: Path) -> _Folder:
        """A new one, locked before it has its name: nobody can take it for a dead process's. Raises ``OSError``."""
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{time.time_ns() // 1_000_000:014d}-{os.getpid()}-{secrets.token_hex(4)}"
        making = root / f".{name}"
        making.mkdir(mode=0o700)
        made = cls(making)
        made.path = making.rename(root / name)
        return made

    def leave(self) -> None:
        """Remove the folder if nothing is left in it, and unlock."""
        with contextlib.suppress(OSError):
            if not any(entry.name != "lock" for entry in os.scandir(self.path)):
                (self.path / "lock").unlink()
                self.path.rmdir()
        os.close(self._lock)


class Spool:
    """A queue on disk under ``root``, at most ``most_bytes`` of it. ``append`` and the rest may run in different threads.

    Raises ``OSError`` when the folder cannot be made, unless the disk is only full: it is made once there is room.
    """

    def __init__(self, root: Path, most_bytes: int = 1 << 30, segment_bytes: int = SEGMENT_BYTES) -> None:
        self.root, self._most, self._segment_bytes = root, most_bytes, segment_bytes
        self._own: _Folder | None = None
        try:
            self._own = _Folder.make(root)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
        self._adopted: dict[Path, _Folder] = {}
        self._segments: deque[Segment] = deque()
        self._current: Segment | None = None
        self._heading: Segment | None = None
        self._writing = False
        self._number = 0
        self._lock = threading.Lock()

    @property
    def waiting_bytes(self) -> int:
        """Bytes not yet replayed."""
        with self._lock:
            return sum(segment.size - segment.read for segment in self._segments)

    @property
    def empty(self) -> bool:
        """Whether nothing waits."""
        return self.waiting_bytes == 0

    def try_out(self) -> None:
        """Write and sync as a webhook would be, and leave nothing; raises ``SpoolFull`` or ``OSError``."""
        if self.waiting_bytes + MOST_FRAME > self._most:
            raise self._full()
        with self._lock:
            folder = self._folder()
        with tempfile.TemporaryFile(dir=folder) as file:
            os.posix_fallocate(file.fileno(), 0, MOST_FRAME)
            os.fdatasync(file.fileno())

    def _folder(self) -> Path:
        if self._own is None:
            self._own = _Folder.make(self.root)
        return self._own.path

    def _full(self) -> SpoolFull:
        return SpoolFull(f"the webhook spool holds {self._most} bytes")

    def append(self, events: Sequence[Event]) -> None:
        """Keep events; they are synced when this returns. Raises ``SpoolFull`` or ``OSError``, and then none is kept."""
        with self._lock:
            self._writing = True
        try:
            if self.waiting_bytes + sum(len(event.body) + 128 for event in events) > self._most:
                raise self._full()
            self._open().append(events)
        finally:
            with self._lock:
                self._writing = False

    def _open(self) -> Segment:
        with self._lock:
            current = self._current
            if current is not None and (current.sealed or current.size >= self._segment_bytes):
                current.seal()
                current = None
            if current is None:
                self._number += 1
                current = Segment(self._folder() / f"{self._number:08d}.seg", new=True)
                self._segments.append(current)
                self._current = current
            return current

    def head(self, most: int = 500) -> list[Event]:
        """The oldest events, still kept until ``taken``."""
        while True:
            with self._lock:
                segment = next((each for each in self._segments if each.read < each.size), None)
            self._heading = segment
            if segment is None:
                self._tidy()
                return []
            if found := segment.head(most):
                return found

    def taken(self) -> None:
        """Forget what ``head`` gave."""
        if self._heading is not None:
            self._heading.taken()
        self._tidy()

    def _tidy(self) -> None:
        with self._lock:
            for segment in list(self._segments):
                if segment.read < segment.size or (segment is self._current and self._writing):
                    continue
                segment.remove()
                self._segments.remove(segment)
                if segment is self._current:
                    self._current = None
            used = {segment.path.parent for segment in self._segments}
            for path in [path for path in self._adopted if path not in used]:
                self._adopted.pop(path).leave()

    def adopt(self) -> int:
        """Take over what dead processes left, oldest first; returns how many bytes wait in it."""
        found: list[Segment] = []
        for path in sorted(self.root.iterdir()):
            if path.name.startswith(".") or path in self._adopted or (self._own and path == self._own.path):
                continue
            try:
                folder = _Folder(path)
            except OSError:
                continue
            segments = [Segment(file, new=False) for file in sorted(path.glob("*.seg"))]
            if segments:
                self._adopted[path] = folder
                found += segments
            else:
                folder.leave()
        with self._lock:
            self._segments.extendleft(reversed(found))
        return sum(segment.size - segment.read for segment in found)

    def close(self) -> None:
        """Give the folders up; what is left in them is adopted by another process."""
        self._tidy()
        with self._lock:
            if self._current is not None:
                self._current.seal()
            for folder in filter(None, [self._own, *self._adopted.values()]):
                folder.leave()
            self._adopted.clear()
