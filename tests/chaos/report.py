"""The table."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TextIO

from tests.chaos.oracle import Verdict

HEAD = (
    "fault",
    "rounds",
    "jobs",
    "lost",
    "unfinished",
    "doubled",
    "ambiguous + unknown",
    "bound",
    "dead",
    "seconds",
    "",
)
WIDTHS = (46, 6, 7, 5, 10, 7, 19, 6, 5, 7, 8)


@dataclass
class Row:
    """One line: a fault and what it came to; ``word`` for the last column of a mutation."""

    title: str
    rounds: int
    verdict: Verdict
    seconds: float
    passed: bool
    word: str = ""


def _line(cells: tuple[str, ...]) -> str:
    first = cells[0][: WIDTHS[0]].ljust(WIDTHS[0])
    return "  ".join(
        [first, *(cell.rjust(width) for cell, width in zip(cells[1:], WIDTHS[1:], strict=True))]
    ).rstrip()


def head(out: TextIO = sys.stdout) -> None:
    print(_line(HEAD), "-" * (sum(WIDTHS) + 2 * len(WIDTHS)), sep="\n", file=out, flush=True)


def line(row: Row, out: TextIO = sys.stdout) -> None:
    """One row, and under it why it failed."""
    found = row.verdict
    cells = (
        row.title, str(row.rounds), str(found.jobs), str(found.lost), str(found.unfinished), str(found.doubled),
        f"{found.ambiguous} + {found.unknown}", str(found.bound), str(found.dead), f"{row.seconds:.1f}",
        row.word or ("ok" if row.passed else "SLOW" if found.slow else "FAILED"),
    )  # fmt: skip
    print(_line(cells), file=out, flush=True)
    if not row.passed:
        for error in found.errors or ["nothing wrong was seen, and should have been"]:
            print(f"    {error}", file=out, flush=True)


def total(rows: list[Row], out: TextIO = sys.stdout) -> None:
    """The sum of the lines that are no mutation."""
    real = [row for row in rows if not row.word]
    verdicts = [row.verdict for row in real]
    print(
        f"{sum(row.rounds for row in real)} rounds, {sum(v.jobs for v in verdicts)} jobs: "
        f"{sum(v.lost for v in verdicts)} lost, "
        f"{sum(v.unfinished for v in verdicts)} unfinished, {sum(v.doubled for v in verdicts)} doubled, "
        f"{sum(v.ambiguous for v in verdicts)} ambiguous and {sum(v.unknown for v in verdicts)} unknown "
        f"of at most {sum(v.bound for v in verdicts)}",
        file=out, flush=True,
    )  # fmt: skip
