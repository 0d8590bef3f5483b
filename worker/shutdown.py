"""The stop flag: set at a signal, seen by every thread and by forked children, for it lies in shared memory."""

from __future__ import annotations

import mmap
import os
import signal
from typing import Any

_flag = mmap.mmap(-1, 1)


def stopping() -> bool:
    return _flag[0] != 0


def stop() -> None:
    _flag[0] = 1


def watch_signals() -> None:
    """Set the flag before Celery's own handlers run: at SIGQUIT these wait for every thread before they send a signal."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        _watch(number, signal.getsignal(number))


def _watch(number: int, celerys: Any) -> None:
    main = os.getpid()

    def stop_first(*arguments: Any) -> None:
        if os.getpid() == main:  # a signal to a forked child stops nobody else
            stop()
        celerys(*arguments)

    if callable(celerys):
        signal.signal(number, stop_first)
