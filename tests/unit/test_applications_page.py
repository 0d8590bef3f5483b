"""docs/applications.md says what the code does: its options, its errors, and code that compiles."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import interakt_jobs
from interakt_jobs import JobError
from interakt_jobs.options import Options

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "applications.md").read_text()


def first_column(heading: str) -> set[str]:
    """The names in a section's table, of the first cells."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("|")]
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


def test_every_option_is_told_and_none_more() -> None:
    assert first_column("Options") == set(Options.__annotations__)


def test_every_error_is_told_and_none_more() -> None:
    public = (getattr(interakt_jobs, name) for name in interakt_jobs.__all__)
    ours = {
        it.__name__
        for it in public
        if isinstance(it, type) and issubclass(it, JobError) and it is not JobError
    }
    assert first_column("Errors") == ours | {"PayloadError", "TypeError", "ValueError"}


def test_its_code_compiles() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) >= 6
    for block in blocks:
        compile(block, "applications.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
