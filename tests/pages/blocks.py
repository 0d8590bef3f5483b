"""The code blocks of README, CONTRIBUTING, docs and the examples' READMEs, and the commands in them."""

from __future__ import annotations

import re
import shlex
from typing import NamedTuple

from sandbox.stack import ROOT

PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    *sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/*.md")),
    *sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("examples/*/README.md")),
]
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
BARE = ("make ", "python ")  # begins a command in a block without a language


class Block(NamedTuple):
    """A fenced block: ``line`` is that of its first line, ``language`` may be empty."""

    page: str
    line: int
    language: str
    text: str


class Command(NamedTuple):
    """A command line as printed, and the lines that are printed under it."""

    line: str
    shown: str


def blocks(page: str) -> list[Block]:
    text = (ROOT / page).read_text()
    return [
        Block(page, text.count("\n", 0, found.start()) + 2, found[1], found[2])
        for found in FENCED.finditer(text)
    ]


def commands(block: Block) -> list[Command]:
    """The commands of a block; one goes on after a backslash, and while a quotation is open."""
    if block.language not in ("", "console", "bash", "sh"):
        return []
    found: list[list[str]] = []
    for line in block.text.splitlines():
        if found and not _whole(found[-1][0]):
            found[-1][0] += "\n" + line
        elif line.startswith("$ ") or (not block.language and line.startswith(BARE)):
            found.append([line.removeprefix("$ "), ""])
        elif found:
            found[-1][1] += line + "\n"
    return [Command(line, shown) for line, shown in found]


def _whole(line: str) -> bool:
    try:
        shlex.split(line, comments=True)
    except ValueError:
        return False
    return not line.endswith("\\")


def words(line: str) -> str:
    """A command without its comment."""
    return shlex.join(shlex.split(line, comments=True))
