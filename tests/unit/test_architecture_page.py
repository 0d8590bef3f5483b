"""docs/architecture.md names files that are there, and eleven invariants."""

from __future__ import annotations

import re

from sandbox.stack import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text()


def test_every_file_that_the_page_names_is_there() -> None:
    named = re.findall(r"`([\w/]+\.(?:py|lua))`", PAGE)
    assert len(named) > 50
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_it_has_eleven_invariants() -> None:
    section = PAGE.partition("\n## The invariants\n")[2].partition("\n## ")[0]
    assert re.findall(r"^(\d+)\. ", section, re.MULTILINE) == [str(number) for number in range(1, 12)]
