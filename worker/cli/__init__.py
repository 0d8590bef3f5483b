"""The command line: one file a command, read when it is asked for."""

from __future__ import annotations

import importlib
from typing import Any

import click

from worker.cli.common import Several, plain_errors
from worker.telemetry.shown import shown

COMMANDS = {
    "account": "Show, change, pause and resume an account.",
    "audit": "Who did what to accounts, jobs, campaigns, opt-outs, poison.",
    "campaign": "Create, check, run, pause, export campaigns.",
    "dead-letters": "List, show, edit, replay, drop and export dead letters.",
    "doctor": "Check settings, Redis and the keys, and say how to fix them.",
    "health": "Is this host's worker alive? For container probes.",
    "job": "Show or cancel one job.",
    "optout": "The opt-out list: add, remove, import, check.",
    "poison": "Messages that were not ours, kept with their reason.",
    "run": "Run a worker.",
    "schedule": "Make, change, pause and list schedules.",
    "status": "What each account is doing now.",
    "template": "Show, pause and resume templates.",
    "web": "Receive webhooks; serve health and metrics.",
}


class Lazy(click.Group):
    """Loads a command's module when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module: Any = importlib.import_module(f"worker.cli.{name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with plain_errors():
                return super().invoke(ctx)
        except click.ClickException as error:  # it may quote a file, a payload, Interakt
            if not isinstance(error, Several):
                vars(error)["message"] = shown(error.message)
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.command(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Operate the Interakt worker. Settings come from the environment; `doctor` checks them."""
