"""``python -m worker campaign``."""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import click
from rich.live import Live

from worker.campaigns.recipients.rows import safe_cell
from worker.campaigns.running import control
from worker.campaigns.store import store
from worker.cli.campaign_make import create, mistakes, preflight
from worker.cli.campaign_view import page
from worker.cli.common import (
    account_option,
    expected,
    json_option,
    known_ledger,
    link,
    say,
    show_json,
    since,
    terminal,
)
from worker.ledger import audit
from worker.telemetry.shown import as_json, shown

ENDED = ("done", "cancelled")


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
@expected
def list_(account: str, as_json: bool) -> None:
    """The account's campaigns, newest first."""
    redis = known_ledger(account).link
    found = [(control.progress(redis, account, name), at) for name, at in store.campaigns(redis, account)]
    if as_json:
        show_json([{**now.as_json(), "created_ms": at} for now, at in found])
        return
    for now, at in found:
        ended = now.recipients - now.left
        say(f"{now.id}  {now.status:9}  {ended:,} of {now.recipients:,}  {since(at)}  {now.name}")
    if not found:
        say("no campaign yet: python -m worker campaign create --help")


@command.command()
@click.argument("campaign", metavar="ID")
@click.option("--watch", is_flag=True, help="Refresh each second until it ends or Ctrl-C.")
@account_option
@json_option
@expected
def show(campaign: str, watch: bool, account: str, as_json: bool) -> None:
    """Where a campaign is: counts by state and reason, pace, finishing time."""
    redis = link()
    with mistakes():
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
    @click.argument("campaign", metavar="ID")
    @account_option
    @expected
    def turn(campaign: str, account: str) -> None:
        with mistakes():
            getattr(control, name)(link(), account, campaign, who=audit.user())
        say(f"{campaign} {says}")


_turn("start", "runs", "Send a planned campaign, from its own start on.")
_turn("pause", "is paused", "Stop sending; calls that have left are not called back.")
_turn("resume", "runs again", "Go on with a paused campaign.")
_turn("cancel", "is cancelled", "End a campaign for good; outcomes are kept.")


@command.command()
@click.argument("campaign", metavar="ID")
@click.option("--failed", is_flag=True, help="Whom Interakt or WhatsApp refused.")
@click.option("--unknown", is_flag=True, help="Who may or may not have got it: they may get it twice.")
@click.option("--not-delivered", is_flag=True, help="Who has no receipt of delivery.")
@account_option
@expected
def retry(campaign: str, failed: bool, unknown: bool, not_delivered: bool, account: str) -> None:
    """Send again to exactly those; the rules hold again.

    Example: python -m worker campaign retry c0123456789ab --failed
    """
    if not (failed or unknown or not_delivered):
        raise click.UsageError("say whom: --failed, --unknown, --not-delivered")
    with mistakes():
        number = control.retry(
            link(),
            account,
            campaign,
            failed=failed,
            unknown=unknown,
            not_delivered=not_delivered,
            who=audit.user(),
        )
    say(f"{number:,} recipients are in the new round of {campaign}")


@command.command()
@click.argument("campaign", metavar="ID")
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="A file; stdout when left out."
)
@click.option("--format", "as_format", type=click.Choice(["csv", "jsonl"]), default="csv", show_default=True)
@account_option
@expected
def export(campaign: str, output: Path | None, as_format: str, account: str) -> None:
    """One line per recipient: outcome, reason, Interakt's id, times. It holds phone numbers.

    Example: python -m worker campaign export c0123456789ab --output outcome.csv
    """
    with mistakes():
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
@click.argument("campaign", metavar="ID")
@click.confirmation_option(prompt="Its outcomes are lost. Go on?")
@account_option
@expected
def drop(campaign: str, account: str) -> None:
    """Remove a campaign that is not running, with its recipients and outcomes."""
    with mistakes():
        answer = store.CampaignStore(link(), account, campaign).drop()
    if answer == "missing":
        raise click.ClickException(f"no campaign {campaign} in the account {account}")
    if answer != "dropped":
        raise click.ClickException(f"{campaign} is {answer}: cancel it first")
    audit.note(link(), account, "campaign_drop", campaign=campaign)
    say(f"{campaign} is gone")
