"""``python -m worker audit``: who did what."""

from __future__ import annotations

import click

from worker.cli.common import account_option, expected, json_option, known_ledger, say, show_json, since
from worker.ledger import audit


@click.command()
@click.option("--most", default=50, show_default=True, type=click.IntRange(1, 100_000))
@account_option
@json_option
@expected
def command(account: str, most: int, as_json: bool) -> None:
    """Acts on an account, its jobs, templates, campaigns, schedules and opt-outs, and on poison: the newest first.

    Example: python -m worker audit --most 20
    """
    found = audit.read(known_ledger(account).link, account, most)
    for entry in found:
        if as_json:
            show_json(entry)
            continue
        rest = "  ".join(
            f"{name} {value}" for name, value in entry.items() if name not in ("act", "at_ms") and value
        )
        say(f"{since(entry['at_ms']):>9}  {entry.get('act', ''):16} {rest}")
    if not found and not as_json:
        say("none")
