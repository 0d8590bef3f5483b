"""The stop flag: set at SIGTERM, seen by every thread and by forked children, for it lies in shared memory."""

from __future__ import annotations

import mmap

_flag = mmap.mmap(-1, 1)


def stopping() -> bool:
    return _flag[0] != 0


def stop() -> None:
    _flag[0] = 1
