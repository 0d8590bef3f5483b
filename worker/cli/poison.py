"""``python -m worker poison``: messages that were not ours."""

from __future__ import annotations

import re

import click

from interakt_jobs.ledger.keys import POISON
from worker.cli.common import json_option, link, say, show_list
from worker.dispatch.message_filter import KEPT_BYTES
from worker.ledger import audit

_ID = re.compile(r"\d{1,19}-\d{1,19}\Z")


@click.group()
def command() -> None:
    """Messages that were not ours, kept raw with their reason.

    Example: python -m worker poison list
    """


@command.command("list")
@click.option("--most", default=50, show_default=True, type=click.IntRange(1, 10000))
@json_option
def list_(most: int, as_json: bool) -> None:
    """The newest first."""
    found = link().command("XREVRANGE", POISON, "+", "-", "COUNT", most)
    rows = (_row(identity.decode(), flat) for identity, flat in found)
    show_list(rows, lambda row: "{id}  {queue}  {bytes} bytes  {reason}".format_map(row), as_json)


def _row(identity: str, flat: list[bytes]) -> dict[str, str]:
    entry = _entry(flat)
    facts = {name: entry[name].decode("utf-8", "replace") for name in ("queue", "reason", "bytes", "sha256")}
    return {**facts, "id": identity}


def _entry(flat: list[bytes]) -> dict[str, bytes]:
    return {name.decode(): value for name, value in zip(flat[::2], flat[1::2], strict=True)}


@command.command()
@click.argument("id")
def show(id: str) -> None:
    """One message as it was, up to 64 KiB; it may hold personal data."""
    known = _ID.match(id)
    found = link().command("XRANGE", POISON, id, id) if known else None
    if not found:
        raise click.ClickException(f"no poison message {id}")
    say(_entry(found[0][1])["raw"].decode("utf-8", "backslashreplace"), most=KEPT_BYTES)


@command.command()
@click.confirmation_option(prompt="Drop all poison messages?")
def clear() -> None:
    """Drop them all."""
    dropped = link().command("XLEN", POISON)
    link().command("DEL", POISON)
    audit.note(link(), "", "poison_clear", messages=dropped)
    say(f"{dropped} dropped")
