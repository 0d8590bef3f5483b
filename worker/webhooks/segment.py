"""One file of the spool: appended to by one process, read from the front, its read position beside it."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from .raw_webhook import MOST_FRAME, Event, pack, unpack

log = logging.getLogger(__name__)
READ_BYTES = 2 * MOST_FRAME


class Segment:
    """``size`` bytes are safe on disk, ``read`` of them have been replayed."""

    def __init__(self, path: Path, *, new: bool) -> None:
        self.path = path
        self._position = path.with_suffix(".read")
        self._fd = -1
        self.size = self.read = self._ahead = 0
        if new:
            self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
            sync_folder(path.parent)
        else:
            self.size = path.stat().st_size
            self.read = min(self.size, self._read_position())

    def append(self, events: Sequence[Event]) -> None:
        """Write and sync, or raise ``OSError`` and take nothing more."""
        data = b"".join(map(pack, events))
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._fd, view) :]
            os.fdatasync(self._fd)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, self.size)
            self.seal()
            raise
        self.size += len(data)

    def head(self, most: int) -> list[Event]:
        """The next events, not yet taken away; none when all is read."""
        if self.read >= self.size:
            return []
        with self.path.open("rb") as file:
            file.seek(self.read)
            found = unpack(file.read(min(READ_BYTES, self.size - self.read)), most)
        self._ahead = self.read + found.end
        if found.events:
            return found.events
        self._give_up(found.broken)
        return []

    def _give_up(self, broken: bool) -> None:
        """What follows cannot be read: a job key torn by a crash was never answered 200; all else is kept aside."""
        left = self.size - self.read
        extra = {"action": "spool_damaged" if broken else "spool_torn", "bytes": left}
        if broken:
            log.error("webhook spool: a damaged rest is kept as .damaged", extra=extra)
            self.path.rename(self.path.with_suffix(".damaged"))
        else:
            log.warning("webhook spool: a torn job_key is dropped", extra=extra)
        self.read = self.size

    def taken(self) -> None:
        """What ``head`` gave is replayed. After a crash the position may be old: events come twice, none is lost."""
        self.read = max(self.read, self._ahead)
        with contextlib.suppress(OSError):
            self._position.write_text(str(self.read))

    def seal(self) -> None:
        """Append no more."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    @property
    def sealed(self) -> bool:
        return self._fd < 0

    def remove(self) -> None:
        self.seal()
        self.path.unlink(missing_ok=True)
        self._position.unlink(missing_ok=True)

    def _read_position(self) -> int:
        with contextlib.suppress(OSError, ValueError):
            return max(0, int(self._position.read_text()))
        return 0


def sync_folder(folder: Path) -> None:
    """Make a new file's name as safe as its contents."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
