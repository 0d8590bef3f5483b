"""Starts processes, measures what a whole tree of them uses (from /proc), and ends it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
TICK = os.sysconf("SC_CLK_TCK")
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class Stat(NamedTuple):
    """Of one process: its parent, and CPU seconds of itself and of its children that have ended."""

    parent: int
    cpu: float


class Memory(NamedTuple):
    """Of a tree, in MB: ``pss`` counts shared pages once, ``rss`` in each process."""

    pss: float
    rss: float


def start(command: Sequence[str], environment: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Start a command in the project's root and in a session of its own; it is told to end when we die."""
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )


def _end_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def parse_stat(line: str) -> Stat:
    """Read one /proc/<pid>/stat line; the command in brackets may hold spaces and brackets."""
    values = line.rpartition(")")[2].split()
    return Stat(int(values[1]), sum(int(ticks) for ticks in values[11:15]) / TICK)


def _stat(pid: int) -> Stat | None:
    with contextlib.suppress(OSError):
        return parse_stat(Path(f"/proc/{pid}/stat").read_text())
    return None


def _all_pids() -> list[int]:
    return [int(entry.name) for entry in os.scandir("/proc") if entry.name.isdigit()]


def tree(roots: Iterable[int]) -> list[int]:
    """The given processes and everything below them that lives."""
    parents: dict[int, list[int]] = {}
    for pid in _all_pids():
        if (stat := _stat(pid)) is not None:
            parents.setdefault(stat.parent, []).append(pid)
    found, waiting = [], list(roots)
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += parents.get(pid, [])
    return found


def cpu_seconds(roots: Iterable[int]) -> float:
    """User and system time of the tree so far, its ended children included."""
    return sum(stat.cpu for pid in tree(roots) if (stat := _stat(pid)) is not None)


def memory(roots: Iterable[int]) -> Memory:
    """What the tree holds now."""
    pss = rss = 0
    for pid in tree(roots):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    pss += int(line.split()[1])
                elif line.startswith("Rss:"):
                    rss += int(line.split()[1])
    return Memory(pss / 1024, rss / 1024)


def stop(started: Sequence[subprocess.Popen[bytes]], patience: float = 10.0) -> None:
    """End them and all below with SIGTERM, and what is left after ``patience`` seconds with SIGKILL."""
    for process in started:
        if process.poll() is None:
            process.terminate()
    end = time.monotonic() + patience
    for process in started:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, end - time.monotonic()))
    sessions = {process.pid for process in started}
    for pid in _all_pids():
        if _session(pid) in sessions:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    for process in started:
        process.wait()


def _session(pid: int) -> int:
    with contextlib.suppress(ProcessLookupError):
        return os.getsid(pid)
    return -1
