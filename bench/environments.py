"""Environments, made at first use: ``bench/.venvs/<name>`` from ``requirements/bench-<name>``."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path

from bench.processes import ROOT

FOLDER = ROOT / "bench" / ".venvs"


def python(name: str | None) -> str:
    """The interpreter of an environment; ``None`` is the project's own."""
    return sys.executable if name is None else str(FOLDER / name / "bin" / "python")


def prepare(name: str) -> float:
    """Make the environment unless it is there and its requirements are the same; gives the seconds it took.

    Installs from ``bench-<name>.txt`` (with hashes) when that exists, else from ``bench-<name>.in``.
    Raises ``RuntimeError`` with pip's words.
    """
    compiled = ROOT / "requirements" / f"bench-{name}.txt"
    wanted = compiled if compiled.exists() else compiled.with_suffix(".in")
    mark, digest = FOLDER / name / "installed", _digest(wanted)
    if mark.exists() and mark.read_text() == digest:
        return 0.0
    started = time.monotonic()
    shutil.rmtree(FOLDER / name, ignore_errors=True)
    venv.create(FOLDER / name, with_pip=True, symlinks=True)
    done = subprocess.run(
        [python(name), "-m", "pip", "install", "--quiet", "--requirement", str(wanted)],
        capture_output=True,
        text=True,
        timeout=600,
    )
    if done.returncode:
        raise RuntimeError(f"pip could not install {wanted.name}: {done.stderr[-2000:]}")
    mark.write_text(digest)
    return time.monotonic() - started


def _digest(path: Path) -> str:
    """Of a requirements file and those that it includes."""
    text = path.read_text()
    made = hashlib.sha256(text.encode())
    for line in text.splitlines():
        if line.startswith("-r "):
            made.update((path.parent / line[3:].strip()).read_bytes())
    return made.hexdigest()
