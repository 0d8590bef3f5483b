"""``python -m worker template``: templates that are paused, and their jobs."""

from __future__ import annotations

import click

from worker.cli.common import account_option, json_option, known_ledger, noted, seconds, show_json, show_list
from worker.ledger import accounts as account_module
from worker.ledger import status


@click.group()
def command() -> None:
    """Show, pause and resume templates; a template is written name:language.

    Example: python -m worker template resume diwali_offer:en
    """


@command.command("list")
@account_option
@json_option
def list_(account: str, as_json: bool) -> None:
    """Paused templates, why, and how many jobs wait for each."""
    found = status.read(known_ledger(account).link, account)
    if as_json:
        show_json({"paused": found.paused_templates, "waiting_for_template": found.parked})
        return

    def line(name: str) -> str:
        why = found.paused_templates.get(name, "being let go")
        return f"{name}: {found.parked.get(name, 0)} jobs wait; {why}"

    show_list(sorted({*found.paused_templates, *found.parked}), line, none="no template is paused")


@command.command()
@click.argument("template")
@click.option("--for", "span", default="365d", help="How long: 90s, 15m, 12h, 7d.")
@click.option("--why", default="paused by hand", show_default=True)
@account_option
def pause(template: str, span: str, why: str, account: str) -> None:
    """Let a template's jobs wait."""
    if ":" not in template:
        raise click.BadParameter(
            "write the template as name:language, such as diwali_offer:en", param_hint="TEMPLATE"
        )
    found = known_ledger(account)
    account_module.pause_template(found, template, seconds(span), why)
    noted(found, "template_pause", f"{template} is paused", template=template, span=span, why=why)


@command.command()
@click.argument("template")
@account_option
def resume(template: str, account: str) -> None:
    """Let a template's jobs go."""
    found = known_ledger(account)
    says = (
        f"{template} runs"
        if account_module.resume_template(found, template)
        else f"{template} was not paused"
    )
    noted(found, "template_resume", says, template=template)
