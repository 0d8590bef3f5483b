"""``python -m worker campaign``."""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import click
from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, TaskProgressColumn, TextColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from worker.campaigns.recipients.rows import safe_cell
from worker.campaigns.running import control
from worker.campaigns.running.control import Progress
from worker.campaigns.store import store
from worker.cli.campaign_make import create, preflight
from worker.cli.common import (
    NEW_FILE,
    account_option,
    json_option,
    known_ledger,
    ledger,
    link,
    noted,
    options,
    say,
    show_json,
    show_list,
    since,
    terminal,
)
from worker.ledger import audit
from worker.telemetry.shown import as_json, shown

ENDED = ("done", "cancelled")
STATES = (
    ("planned", "waiting for their turn"),
    ("enqueued", "in the bulk lane or under way"),
    ("held", "may have been sent; a receipt is awaited"),
    ("accepted", "accepted by Interakt"),
    ("sent", "sent"),
    ("delivered", "delivered"),
    ("read", "read"),
    ("failed", "accepted, then failed"),
    ("dead", "not accepted"),
    ("unknown", "may have been sent"),
    ("skipped", "left out by a rule"),
    ("cancelled", "cancelled"),
)
of_campaign = options(click.argument("campaign", metavar="ID"), account_option)


@click.group()
def command() -> None:
    """Create, check, run, pause, export campaigns.

    Example: python -m worker campaign create diwali.toml --recipients people.csv --start
    """


command.add_command(create)
command.add_command(preflight)


@command.command("list")
@account_option
@json_option
def list_(account: str, as_json: bool) -> None:
    """The account's campaigns, newest first."""
    redis = known_ledger(account).link
    found = [(control.progress(redis, account, name), at) for name, at in store.campaigns(redis, account)]
    if as_json:
        show_json([{**now.as_json(), "created_ms": at} for now, at in found])
        return
    lines = (
        f"{now.id}  {now.status:9}  {now.recipients - now.left:,} of {now.recipients:,}  {since(at)}  {now.name}"
        for now, at in found
    )
    show_list(lines, str, none="no campaign yet: python -m worker campaign create --help")


@command.command()
@of_campaign
@click.option("--watch", is_flag=True, help="Refresh each second until it ends or Ctrl-C.")
@json_option
def show(campaign: str, watch: bool, account: str, as_json: bool) -> None:
    """Where a campaign is: counts by state and reason, pace, finishing time."""
    redis = link()
    now = control.progress(redis, account, campaign)
    if as_json:
        show_json(now.as_json())
    elif not watch:
        terminal().print(page(now))
    else:
        with Live(page(now), console=terminal(), refresh_per_second=2) as live:
            while now.status not in ENDED:
                time.sleep(1)
                now = control.progress(redis, account, campaign)
                live.update(page(now))


command.add_command(show, "progress")


def _turn(name: str, says: str, help_text: str) -> None:
    """A command that changes a campaign's status by the function of the same name in control."""

    @command.command(name, help=help_text)
    @of_campaign
    def turn(campaign: str, account: str) -> None:
        getattr(control, name)(link(), account, campaign, who=audit.user())
        say(f"{campaign} {says}")


_turn("start", "runs", "Send a planned campaign, from its own start on.")
_turn("pause", "is paused", "Stop sending; calls that have left are not called back.")
_turn("resume", "runs again", "Go on with a paused campaign.")
_turn("cancel", "is cancelled", "End a campaign for good; outcomes are kept.")


@command.command()
@of_campaign
@click.option("--failed", is_flag=True, help="Whom Interakt or WhatsApp refused.")
@click.option("--unknown", is_flag=True, help="Who may or may not have got it: they may get it twice.")
@click.option("--not-delivered", is_flag=True, help="Who has no receipt of delivery.")
def retry(campaign: str, account: str, **whom: bool) -> None:
    """Send again to exactly those; the rules hold again.

    Example: python -m worker campaign retry c0123456789ab --failed
    """
    if not any(whom.values()):
        raise click.UsageError("say whom: --failed, --unknown, --not-delivered")
    number = control.retry(link(), account, campaign, who=audit.user(), **whom)
    say(f"{number:,} recipients are in the new round of {campaign}")


@command.command()
@of_campaign
@click.option("--output", type=NEW_FILE, help="A file; stdout when left out.")
@click.option("--format", "as_format", type=click.Choice(["csv", "jsonl"]), default="csv", show_default=True)
def export(campaign: str, output: Path | None, as_format: str, account: str) -> None:
    """One line per recipient: outcome, reason, Interakt's id, times. It holds phone numbers.

    Example: python -m worker campaign export c0123456789ab --output outcome.csv
    """
    rows = control.export(link(), account, campaign)
    control.progress(link(), account, campaign)
    if output is None:
        _write(map(_safe, rows) if as_format == "csv" else rows, as_format, sys.stdout)
    else:
        with output.open("w", newline="", encoding="utf-8") as file:
            number = _write(rows, as_format, file)
        say(f"{number:,} recipients are in {output}")


def _safe(row: dict[str, Any]) -> dict[str, Any]:
    """For a terminal rather than a file."""
    return {name: shown(value) if isinstance(value, str) else value for name, value in row.items()}


def _write(rows: Iterator[dict[str, Any]], as_format: str, file: TextIO) -> int:
    number = 0
    writer: csv.DictWriter[str] | None = None
    for row in rows:
        number += 1
        if as_format == "jsonl":
            file.write(f"{as_json(row)}\n")
            continue
        if writer is None:
            writer = csv.DictWriter(file, list(row))
            writer.writeheader()
        writer.writerow(
            {name: safe_cell(cell) if isinstance(cell, str) else cell for name, cell in row.items()}
        )
    return number


@command.command()
@of_campaign
@click.confirmation_option(prompt="Its outcomes are lost. Go on?")
def drop(campaign: str, account: str) -> None:
    """Remove a campaign that is not running, with its recipients and outcomes."""
    answer = store.CampaignStore(link(), account, campaign).drop()
    if answer == "missing":
        raise click.ClickException(f"no campaign {campaign} in the account {account}")
    if answer != "dropped":
        raise click.ClickException(f"{campaign} is {answer}: cancel it first")
    noted(ledger(account), "campaign_drop", f"{campaign} is gone", campaign=campaign)


def page(now: Progress) -> Any:
    """One campaign: a bar, a table of states with their reasons, pace and end."""
    ended = now.recipients - now.left
    bar = Bar(TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn())
    bar.add_task(f"{now.id} {shown(now.name, 60)}: {now.status}", total=now.recipients or 1, completed=ended)
    table = Table(box=None, pad_edge=False, show_header=False)
    for state, meaning in STATES:
        if number := now.counts.get(state, 0):
            table.add_row(state, f"{number:,}", Text(shown(_reasons(now, state) or meaning), style="dim"))
    lines: list[Any] = [bar.get_renderable(), table]
    if now.why:
        lines.append(Text(f"{'paused' if now.status == 'paused' else 'waits'}: {shown(now.why)}"))
    if now.rejected:
        left_out = ", ".join(f"{count:,} {kind}" for kind, count in sorted(now.rejected.items()))
        lines.append(Text(shown(f"rows left out when it was planned: {left_out}")))
    if now.status in ("running", "planned"):
        until = f"{now.finish:%Y-%m-%d %H:%M} UTC" if now.finish else "not to be said yet"
        lines.append(Text(f"{now.per_minute:g} a minute; last message goes out: {until}"))
    return Group(*lines)


def _reasons(now: Progress, state: str) -> str:
    found = [
        (name.partition("|")[2], number)
        for name, number in now.counts.items()
        if name.startswith(f"{state}|")
    ]
    return ", ".join(f"{number:,} {name}" for name, number in sorted(found, key=lambda item: -item[1]))
