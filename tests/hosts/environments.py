"""The wheel, and a fresh virtual environment with it for each example host."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# beside what each host asks for: the oldest Celery and redis-py that will do; greenlets; a test runner
HOSTS = {
    "django_shop": ["celery==5.3.*", "kombu==5.3.*", "redis==4.6.*"],
    "flask_shop": ["gevent"],
    "fastapi_shop": ["pytest"],
}
PIECES = ("pyproject.toml", "README.md", "LICENSE", "interakt_jobs")


def build_wheel(folder: Path) -> Path:
    """Build the wheel from a copy of what goes into it, so that nothing left over from another build gets in."""
    source = folder / "source"
    source.mkdir()
    for name in PIECES:
        piece = ROOT / name
        if piece.is_dir():
            shutil.copytree(piece, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(piece, source)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, source]
    subprocess.run(command, check=True, capture_output=True, timeout=100)
    (wheel,) = folder.glob("*.whl")
    return wheel


def start_install(host: str, wheel: Path, folder: Path) -> Callable[[], Path]:
    """Begin to make a host's environment; what is returned waits for it and gives its Python."""
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    wanted = [str(wheel), "-r", str(ROOT / "examples" / host / "requirements.txt"), *HOSTS[host]]
    options = ["--quiet", "--no-compile", "--disable-pip-version-check"]
    installing = subprocess.Popen(
        [sys.executable, "-m", "pip", "--python", str(python), "install", *options, *wanted],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )

    def finish() -> Path:
        words, _ = installing.communicate(timeout=550)
        assert installing.returncode == 0, words.decode()
        return python

    return finish
