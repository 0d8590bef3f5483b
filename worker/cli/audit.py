"""``python -m worker audit``: who did what to dead letters and campaigns."""

from __future__ import annotations

import click

from worker.cli.common import account_option, expected, json_option, known_ledger, say, show_json, since


@click.command()
@click.option("--most", default=50, show_default=True, type=click.IntRange(1, 100_000))
@account_option
@json_option
@expected
def command(account: str, most: int, as_json: bool) -> None:
    """Acts on dead letters and campaigns, the newest first; the last 100,000 are kept.

    Example: python -m worker audit --most 20
    """
    ledger = known_ledger(account)
    found = ledger.link.command("XREVRANGE", f"{ledger.prefix}audit", "+", "-", "COUNT", most)
    for identity, flat in found:
        words = [word.decode("utf-8", "replace") for word in flat]
        entry = dict(zip(words[::2], words[1::2], strict=True))
        at_ms = int(identity.partition(b"-")[0])
        if as_json:
            show_json({"at_ms": at_ms, **entry})
        else:
            rest = "  ".join(f"{name} {value}" for name, value in entry.items() if name != "act" and value)
            say(f"{since(at_ms):>9}  {entry.get('act', ''):16} {rest}")
    if not found and not as_json:
        say("none")
