"""``python -m worker optout``: who wants no marketing."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

import click

from interakt_jobs.recipient import recipient_hash
from schemas.phone_text import Phones
from schemas.phones import BadPhone
from schemas.webhook_whatsapp import USER_ID
from worker.campaigns.recipients.optout import OptOut
from worker.campaigns.recipients.people_file import PeopleFile
from worker.cli.campaign_make import delimiter_option, rejects
from worker.cli.common import (
    FILE,
    NEW_FILE,
    account_option,
    bad_input,
    json_option,
    known_ledger,
    ledger,
    noted,
    say,
    show_json,
    show_list,
    since,
)


@click.group()
def command() -> None:
    """The opt-out list: campaigns and bulk jobs leave these people out. Numbers are kept as hashes only.

    Example: python -m worker optout add +919999999999
    """


def _list(account: str) -> OptOut:
    return OptOut(known_ledger(account).link, account)


def _noted(account: str, act: str, says: str, **facts: object) -> None:
    noted(ledger(account), f"optout_{act}", says, **facts)


def _code(_: click.Context, __: click.Parameter, value: str) -> str:
    if not re.fullmatch(r"\+?[1-9]\d{0,2}", value):
        raise click.BadParameter("it looks like +91")
    return value


country_option = click.option(
    "--country-code", default="+91", show_default=True, callback=_code, help="For numbers without one."
)


def of_person(function: Callable[..., None]) -> Callable[..., None]:
    """PHONE as ``digits``, and the account."""

    @click.argument("phone")
    @country_option
    @account_option
    @functools.wraps(function)
    def call(phone: str, country_code: str, **rest: str) -> None:
        function(digits=_digits(phone, country_code), **rest)

    return call


def _digits(phone: str, country_code: str) -> str:
    if USER_ID.fullmatch(phone):
        return phone
    try:
        return Phones(country_code, check="possible").read(phone)
    except BadPhone as error:
        raise click.BadParameter(f"{error}", param_hint="PHONE") from None


@command.command()
@of_person
def add(digits: str, account: str) -> None:
    """Send this person no bulk message any more."""
    says = "added" if _list(account).add(digits) else "was on the list already"
    _noted(account, "add", says, person=recipient_hash(digits))


@command.command()
@of_person
def remove(digits: str, account: str) -> None:
    """Take a person out of the list."""
    says = "removed" if _list(account).remove(digits) else "was not on the list"
    _noted(account, "remove", says, person=recipient_hash(digits))


@command.command()
@of_person
def check(digits: str, account: str) -> None:
    """Is this person on the list? Exits with 1 when not."""
    if not _list(account).has(digits):
        say("not on the list")
        raise SystemExit(1)
    say("on the list")


@command.command()
@account_option
@json_option
def count(account: str, as_json: bool) -> None:
    """How many people are on the list."""
    number = _list(account).count()
    if as_json:
        show_json({"account": account, "count": number})
    else:
        say(f"{number:,}")


@command.command("open")
@account_option
@json_option
def open_(account: str, as_json: bool) -> None:
    """STOPs that came without a number that anybody knows: find out whose they are, then `optout settle`."""
    found = _list(account).open()
    if as_json:
        show_json(found)
        return

    def line(name: str) -> str:
        kept = found[name]
        known = "WhatsApp's id of them is known" if kept["user_id"] else "nothing is known of the sender"
        return f"{name}  {since(kept['at_ms'] or kept['received_ms'])}  {known}"

    show_list(found, line)


@command.command()
@click.argument("name")
@of_person
def settle(name: str, digits: str, account: str) -> None:
    """Opt out the person who sent an open STOP; NAME is of `optout open`."""
    if not _list(account).settle(name, digits):
        raise click.ClickException(f"no open STOP {name}: see `optout open`")
    _noted(account, "settle", "settled", stop=name, person=recipient_hash(digits))


@command.command("import")
@click.argument("file", type=FILE)
@click.option("--rejected", type=NEW_FILE, help="Write rows without a number here.")
@click.option("--column", default="", help="The phone's column, where its heading is unusual.")
@delimiter_option
@country_option
@account_option
def import_(
    file: Path, rejected: Path | None, column: str, delimiter: str, country_code: str, account: str
) -> None:
    """Add the people of a file (CSV, .xlsx, JSON lines), by the column that a campaign would take.

    Adds nobody and fails unless more than half of the rows have a number.

    Example: python -m worker optout import unsubscribed.csv --rejected bad.csv
    """
    with bad_input():
        people = PeopleFile(file, country_code, column, delimiter)
        with rejects(rejected) as reject:
            reasons = people.check(reject or (lambda row: None))
        new, number = _list(account).add_all(people.people())
    says = f"{new:,} added, {number - new:,} were on the list, {reasons.total():,} rows rejected"
    _noted(account, "import", says, people=new)
    for reason, times in reasons.most_common():
        say(f"  {times:,} {reason}")


@command.command("export-hashes")
@account_option
def export_hashes(account: str) -> None:
    """Print the list's hashes, one a line, for another Redis: `optout import-hashes`."""
    for digest in _list(account).hashes():
        say(digest)


@command.command("import-hashes")
@click.argument("file", type=click.File("r"))
@account_option
def import_hashes(file: TextIO, account: str) -> None:
    """Add hashes that `optout export-hashes` printed; `-` reads standard input."""
    other = 0

    def wanted() -> Iterator[str]:
        nonlocal other
        for line in (line.strip() for line in file):
            if re.fullmatch(r"[0-9a-f]{16}", line):
                yield line
            else:
                other += bool(line)

    added = _list(account).add_hashes(wanted())
    says = f"{added:,} added" + (f", {other:,} lines are no hashes" if other else "")
    _noted(account, "import", says, people=added)
