"""Every command line that is printed in the documents runs as printed, page by page, in their order."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.stack import ROOT, Stack
from sandbox.valkey import Valkey, free_port

from .blocks import PAGES, Command, blocks, commands, words
from .conftest import Page
from .exceptions import CANNOT_IMPORT, CANNOT_RUN, COUNT, TAKES_MINUTES

# what goes on until it is ended -> what it says meanwhile
GOES_ON = {
    "honcho start": (
        r"(?s)(?=.*web\.1[^\n]*webhooks_direct)(?=.*worker\.1[^\n]*worker_ready)(?=.*bulk\.1[^\n]*worker_ready)"
        r"(?=.*beat\.1 )"
    ),
    "python -m sandbox --port": r"http://127\.0\.0\.1:\d+\n",
    "python -m sandbox.valkey --port": r"redis://127\.0\.0\.1:\d+/0\n",
    "python -m worker run": "worker_ready",
    "python -m worker status --watch": "default",
}


def printed(page: str) -> list[Command]:
    return [command for block in blocks(page) for command in commands(block)]


def begins(line: str, known: object) -> bool:
    return any(line.startswith(begin) for begin in known)  # type: ignore[attr-defined]


def check_options(line: str) -> None:
    """Of a command that takes minutes: it exists and knows the options that are printed."""
    parts = shlex.split(line, comments=True)
    if parts[0] == "make":
        subprocess.run(["make", "-n", *parts[1:]], cwd=ROOT, check=True, capture_output=True, timeout=60)
        return
    module = parts[2]
    more = ["--collect-only", *parts[3:]] if module == "pytest" else ["--help"]
    done = subprocess.run(
        [sys.executable, "-m", module, *more], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    if module != "pytest":
        options = [part.partition("=")[0] for part in parts[3:] if part.startswith("--")]
        assert [option for option in options if option not in done.stdout] == []


def same(shown: str, output: str) -> bool:
    """Whether what is printed under a command is what it says; ``...`` stands for anything."""
    pattern = ".*".join(map(re.escape, " ".join(shown.split()).split("...")))
    return re.search(pattern, " ".join(output.split())) is not None


@pytest.mark.parametrize("name", [page for page in PAGES if printed(page)])
def test_a_pages_commands_run_as_printed(name: str, checkout: Path, stack: Stack) -> None:
    page = Page(checkout, stack)
    for command in printed(name):
        line = command.line
        if begins(line, CANNOT_RUN):
            continue
        if begins(line, TAKES_MINUTES):
            check_options(line)
            continue
        if going := next((begin for begin in GOES_ON if line.startswith(begin)), None):
            line = re.sub(r"--port \d+", f"--port {free_port()}", line)
            output = page.start(words(line), GOES_ON[going])
            assert re.search(GOES_ON[going], output), f"{name}: {line}\n{output}"
            continue
        done = page.run(page.fill_in(line))
        output = done.stdout + done.stderr
        assert done.returncode == 0 and "Traceback" not in output, f"{name}: {line}\n{output}"
        assert same(command.shown, output), f"{name}: {line}\n{output}\nis not\n{command.shown}"


def test_the_exceptions_are_counted_and_each_is_printed_somewhere() -> None:
    lines = [command.line for page in PAGES for command in printed(page)]
    texts = [block.text for page in PAGES for block in blocks(page) if block.language == "python"]
    assert all(any(line.startswith(begin) for line in lines) for begin in (*CANNOT_RUN, *TAKES_MINUTES))
    assert all(any(piece in text for text in texts) for piece in CANNOT_IMPORT)
    assert len(CANNOT_RUN) + len(CANNOT_IMPORT) == COUNT
    assert all(CANNOT_RUN.values()) and all(CANNOT_IMPORT.values())


def test_the_redis_of_the_page_starts() -> None:
    (block,) = [block for block in blocks("docs/operations.md") if block.text.startswith("appendonly")]
    lines = [line.partition("#")[0].split(None, 1) for line in block.text.splitlines()]
    with Valkey(**{name.replace("-", "_"): value.strip() for name, value in lines}) as server:
        assert server.process is not None and server.process.poll() is None
