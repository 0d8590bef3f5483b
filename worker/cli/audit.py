"""``python -m worker audit``: who did what."""

from __future__ import annotations

from typing import Any

import click

from worker.cli.common import account_option, json_option, known_ledger, show_list, since
from worker.ledger import audit


@click.command()
@click.option("--most", default=50, show_default=True, type=click.IntRange(1, 100_000))
@account_option
@json_option
def command(account: str, most: int, as_json: bool) -> None:
    """Acts on an account, its jobs, templates, campaigns, schedules and opt-outs, and on poison: the newest first.

    Example: python -m worker audit --most 20
    """
    show_list(audit.read(known_ledger(account).link, account, most), _line, as_json)


def _line(entry: dict[str, Any]) -> str:
    facts = (f"{name} {value}" for name, value in entry.items() if name not in ("act", "at_ms") and value)
    return f"{since(entry['at_ms']):>9}  {entry.get('act', ''):16} {'  '.join(facts)}"
