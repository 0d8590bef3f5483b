"""``python -m worker doctor``: is everything there that a deployment needs?"""

from __future__ import annotations

import os

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from worker import doctor
from worker.cli.common import json_option, ledger, show_json
from worker.ledger.rate_limit import take_permit

STYLES = {"ok": "green", "warning": "yellow", "failure": "bold red"}


@click.command()
@json_option
def command(as_json: bool) -> None:
    """Check settings, Redis and the keys, and say what to mend.

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
    if not take_permit(ledger(account)):
        raise TimeoutError("no permit within ten seconds: the account's allowance is in use")


def _show(checks: list[doctor.Check]) -> None:
    table = Table("what", "", "found", "to mend", box=None, pad_edge=False)
    for check in checks:
        mark = Text(check.mark, STYLES[check.mark])
        table.add_row(Text(check.name), mark, Text(check.found), Text(check.mend))
    Console(highlight=False).print(table)
