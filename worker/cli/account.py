"""``python -m worker account``: the rate, pauses, shares."""

from __future__ import annotations

from typing import Any

import click

from worker.cli.common import accounts, json_option, ledger, link, noted, say, seconds, show_json
from worker.ledger import accounts as account_module
from worker.ledger import audit, status

CALLS = click.IntRange(1, 10_000_000)


@click.group()
def command() -> None:
    """Show, change, pause and resume an account.

    Example: python -m worker account set default --calls-per-minute 600
    """


@command.command("list")
@json_option
def list_(as_json: bool) -> None:
    """The accounts and what holds for each."""
    redis = link()
    found = [status.read(redis, name) for name in accounts(redis)]
    if as_json:
        show_json([one.as_dict() for one in found])
        return
    for one in found:
        paused = f", paused: {one.why}" if one.why else ""
        paused += ", no worker has its key" if one.keyless_ms else ""
        say(f"{one.account}: {one.rate} calls per {one.window_ms / 1000:g} s{paused}")


@command.command("set")
@click.argument("account")
@click.option("--calls-per-minute", type=CALLS, help="The plan's calls per minute.")
@click.option("--calls-per-window", type=CALLS, help="With --window-seconds: calls in a window.")
@click.option(
    "--window-seconds", type=click.FloatRange(0.1, 3600), help="The provider's window, 60 by default."
)
@click.option("--shares", help="Guaranteed percent of each lane: urgent=60,normal=20,bulk=20.")
def set_(account: str, **given: Any) -> None:
    """Change an account while it runs; it holds until it is changed again, whatever the environment says."""
    given = {name: value for name, value in given.items() if value}
    names = ("calls_per_minute", "calls_per_window", "window_seconds")
    minute, window, window_seconds = (given.get(name, 0) for name in names)
    if minute and (window or window_seconds):
        raise click.UsageError("use --calls-per-minute alone, or --calls-per-window with --window-seconds")
    if bool(window) != bool(window_seconds):
        raise click.UsageError("--calls-per-window and --window-seconds go together")
    if not given:
        raise click.UsageError("say what to change: see --help")
    found = ledger(account)
    if minute or window:
        account_module.set_rate(found, minute or window, window_seconds or 60.0)
    if "shares" in given:
        try:
            account_module.set_shares(found, given["shares"])
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--shares") from None
    noted(found, "account_set", f"{account} is changed", **given)


@command.command()
@click.argument("account")
@click.option("--for", "span", default="365d", help="How long: 90s, 15m, 12h, 7d. Without it until resume.")
@click.option("--why", default="paused by hand", show_default=True)
def pause(account: str, span: str, why: str) -> None:
    """Stop all calls of an account; its jobs wait."""
    found = ledger(account)
    account_module.pause(found, seconds(span), f"{why} ({audit.user()})")
    noted(found, "account_pause", f"{account} is paused", span=span, why=why)


@command.command("confirm-loss")
@click.argument("names", metavar="ACCOUNT...", nargs=-1, required=True)
def confirm_loss(names: tuple[str, ...]) -> None:
    """Let bulk go again after Redis has lost its data: once the opt-outs are back and the limit is looked at."""
    for name in names:
        found = ledger(name)
        if account_module.confirm_loss(found):
            noted(found, "account_confirm_loss", f"{name}: bulk goes again")
        else:
            say(f"{name}: no loss was waiting to be confirmed")


@command.command()
@click.argument("account")
def resume(account: str) -> None:
    """Let calls go again: closes the breaker, ends a pause and lifts a cut of the rate."""
    found = ledger(account)
    account_module.resume(found)
    noted(found, "account_resume", f"{account} runs")
