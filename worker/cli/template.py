"""``python -m worker template``: templates that are paused, and their jobs."""

from __future__ import annotations

import click

from worker.cli.common import (
    account_option,
    expected,
    json_option,
    known_ledger,
    say,
    seconds,
    show_json,
)
from worker.ledger import accounts as account_module
from worker.ledger import audit, status


@click.group()
def command() -> None:
    """Show, pause and resume templates; a template is written name:language.

    Example: python -m worker template resume diwali_offer:en
    """


@command.command("list")
@account_option
@json_option
@expected
def list_(account: str, as_json: bool) -> None:
    """Paused templates, why, and how many jobs wait for each."""
    found = status.read(known_ledger(account).link, account)
    if as_json:
        show_json({"paused": found.paused_templates, "waiting_for_template": found.parked})
        return
    names = sorted({*found.paused_templates, *found.parked})
    for name in names:
        say(
            f"{name}: {found.parked.get(name, 0)} jobs wait; {found.paused_templates.get(name, 'being let go')}"
        )
    if not names:
        say("no template is paused")


@command.command()
@click.argument("template")
@click.option("--for", "span", default="365d", help="How long: 90s, 15m, 12h, 7d.")
@click.option("--why", default="paused by hand", show_default=True)
@account_option
@expected
def pause(template: str, span: str, why: str, account: str) -> None:
    """Let a template's jobs wait."""
    if ":" not in template:
        raise click.BadParameter(
            "write the template as name:language, such as diwali_offer:en", param_hint="TEMPLATE"
        )
    found = known_ledger(account)
    account_module.pause_template(found, template, seconds(span), why)
    audit.note(found.link, account, "template_pause", template=template, span=span, why=why)
    say(f"{template} is paused")


@command.command()
@click.argument("template")
@account_option
@expected
def resume(template: str, account: str) -> None:
    """Let a template's jobs go."""
    found = known_ledger(account)
    paused = account_module.resume_template(found, template)
    audit.note(found.link, account, "template_resume", template=template)
    say(f"{template} runs" if paused else f"{template} was not paused")
