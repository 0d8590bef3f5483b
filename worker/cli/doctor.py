"""``python -m worker doctor``: is everything there that a deployment needs?"""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from typing import Any

import click

from worker import doctor
from worker.cli.common import json_option, ledger, say, show_json
from worker.telemetry.shown import shown

STYLES: dict[str, dict[str, Any]] = {
    "ok": {"fg": "green"},
    "warning": {"fg": "yellow"},
    "failure": {"fg": "red", "bold": True},
}
WIDEST, MOST = 120, 2000


@click.command()
@json_option
def command(as_json: bool) -> None:
    """Check settings, Redis and the keys, and say how to fix them.

    Makes one harmless call an account (one page of its templates). Exits with 1 when something fails.

    Example: INTERAKT_API_KEY=... python -m worker doctor
    """
    checks = list(doctor.examine(os.environ, _permit))
    if as_json:
        show_json([check._asdict() for check in checks])
    else:
        _show(checks)
    if any(check.mark == "failure" for check in checks):
        raise SystemExit(1)


def _permit(account: str) -> None:
    if not ledger(account).take_permit():
        raise TimeoutError("no permit within ten seconds: the account's allowance is in use")


def _show(checks: list[doctor.Check]) -> None:
    """A line a check and the fix below it, folded at the terminal's width; a pipe gets whole lines."""
    known = sys.stdout.isatty() or "COLUMNS" in os.environ
    width = min(shutil.get_terminal_size().columns, WIDEST) if known else 2 * MOST
    for check in checks:
        for line in _folded(f"{check.mark:8} {check.name:20} {check.found}", width):
            say(line, **STYLES[check.mark])
        for line in _folded(f"{'':8} -> {check.mend}", width) if check.mend else ():
            say(line)


def _folded(line: str, width: int) -> list[str]:
    return textwrap.wrap(shown(line, MOST), width, subsequent_indent=" " * 12, break_on_hyphens=False)
