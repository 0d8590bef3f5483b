"""``campaign create`` and ``campaign preflight``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from celery.exceptions import TimeoutError as CeleryTimeoutError

import interakt_jobs
from interakt_jobs.errors import LedgerUnreachable
from worker.campaigns import creation
from worker.campaigns.definition import definition
from worker.campaigns.definition.errors import BadCampaignId, CampaignError, NoSuchCampaign, PlanTaken
from worker.campaigns.planning.prices import DEFAULT as PRICES
from worker.campaigns.recipients.rows import Rejected, RejectsFile, Source
from worker.campaigns.recipients.sources import open_source
from worker.campaigns.recipients.users import Users, read_filter
from worker.campaigns.running import control
from worker.cli.campaign_view import Counted, lines_in, reading_bar
from worker.cli.common import (
    Several,
    expected,
    json_option,
    known_ledger,
    link,
    redis_url,
    say,
    show_json,
    terminal,
)
from worker.ledger import audit

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class Mistaken(Several):
    """Bad input: a definition or recipients that cannot be used."""

    exit_code = 2


@contextmanager
def mistakes(kind: type[Several] = Several) -> Iterator[None]:
    """Tell a person's mistake in words; ``kind`` is what a ``CampaignError`` becomes."""
    try:
        yield
    except BadCampaignId as error:
        raise click.BadParameter(error.errors["campaign"], param_hint="ID") from None
    except CampaignError as error:
        raise kind(str(error)) from None
    except (NoSuchCampaign, PlanTaken) as error:
        raise click.ClickException(str(error)) from None
    except LedgerUnreachable:
        raise
    except OSError as error:
        raise click.FileError(str(error.filename or "file"), error.strerror or str(error)) from None
    except CeleryTimeoutError:
        raise click.ClickException(
            "no worker answered in time: is one running? see python -m worker status"
        ) from None


def making(function: Callable[..., Any]) -> Callable[..., Any]:
    """What create and preflight have in common."""
    for option in reversed(
        (
            click.argument("definition_file", metavar="DEFINITION.toml", type=FILE),
            click.option("--recipients", required=True,
                         help="A file (CSV, .xlsx, JSON lines), or `users:`, Interakt's own."),
            click.option("--delimiter", default="", help="What is between the cells of a CSV file.  [default: found]"),
            click.option("--allow-empty-values", is_flag=True, help="Send values such as None, NaN or ???? as they are."),
            click.option("--filter", "filters", multiple=True, metavar="WORDS",
                         help="With users: a TRAIT OPERATOR VALUE, such as 'city eq Pune'; 'or ...' joins by or."),
            click.option("--rejected", type=click.Path(dir_okay=False, path_type=Path), help="Write rows left out here."),
            click.option("--prices", type=FILE, default=PRICES, help="The price file.  [default: config/prices.csv]"),
            click.option("--timeout", default=60.0, show_default=True, help="Seconds to wait for Interakt's templates."),
            json_option,
        )
    ):  # fmt: skip
        function = option(function)
    return function


def _source(
    recipients: str, delimiter: str, filters: tuple[str, ...], made: definition.Definition
) -> tuple[Source, int | None]:
    """The recipients, and about how many there are, if that can be said."""
    if recipients in ("users", "users:"):
        try:
            wanted = [read_filter(words) for words in filters]
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--filter") from None
        return Users(wanted, made.value_columns, account=made.account), None
    if filters:
        raise click.UsageError("--filter goes with --recipients users:")
    path = Path(recipients)
    if not path.is_file():
        raise click.BadParameter(f"no file {recipients!r}", param_hint="--recipients")
    return open_source(path, delimiter=delimiter_of(delimiter)), lines_in(path)


def delimiter_of(text: str) -> str:
    """One character, or ``tab``."""
    if len(text) > 1 and text.lower() not in ("tab", "\\t"):
        raise click.BadParameter("one character, or tab", param_hint="--delimiter")
    return "\t" if len(text) > 1 else text


@contextmanager
def rejects(path: Path | None) -> Iterator[Callable[[Rejected], None] | None]:
    if path is None:
        yield None
        return
    with path.open("w", newline="", encoding="utf-8") as file:
        yield RejectsFile(file).add


def _made(
    options: dict[str, Any], make: Callable[[definition.Definition, Source, Any], creation.Checked]
) -> creation.Checked:
    with mistakes(Mistaken):
        made = definition.load(options["definition_file"])
        if options["allow_empty_values"]:
            made = replace(made, recipients=replace(made.recipients, allow_empty_values=True))
        known_ledger(made.account)
        interakt_jobs.configure(redis_url())
        source, total = _source(options["recipients"], options["delimiter"], options["filters"], made)
        bar = reading_bar(terminal(err=True))
        with rejects(options["rejected"]) as reject, bar:
            return make(made, Counted(source, bar, total), reject)


def _report(found: creation.Checked, as_json: bool) -> None:
    if as_json:
        show_json({"campaign": found.campaign, **json.loads(found.report.as_json())})
    else:
        for line in found.report.text().split("\n"):
            say(line)


@click.command()
@making
@click.option("--start", "start_it", is_flag=True, help="Start it when preflight finds no problem.")
@click.option("--dry-run", is_flag=True, help="Do all but plan and send.")
@expected
def create(start_it: bool, dry_run: bool, as_json: bool, **options: Any) -> None:
    """Check a campaign and plan it; it is sent after `start`.

    Exits with 1 when preflight refuses it; then nothing is kept.

    Example: python -m worker campaign create diwali.toml --recipients people.csv --rejected bad.csv --start
    """
    if dry_run:
        _preflight(as_json, options)
        return
    own = {"price_file": options["prices"], "timeout": options["timeout"]}
    found = _made(
        options, lambda made, source, reject: creation.create(link(), made, source, reject=reject, **own)
    )
    _report(found, as_json)
    if not found.report.ok:
        raise SystemExit(1)
    account = definition.load(options["definition_file"]).account
    audit.note(link(), account, "campaign_create", campaign=found.campaign)
    if start_it:
        control.start(link(), account, found.campaign, who=audit.user())
    if not as_json:
        word = "runs" if start_it else f"is planned: python -m worker campaign start {found.campaign}"
        say()
        say(f"{found.campaign} {word}" + (f" --account {account}" if account != "default" else ""))


@click.command()
@making
@expected
def preflight(as_json: bool, **options: Any) -> None:
    """Check a campaign and show what would happen; nothing is kept and nothing is sent.

    Example: python -m worker campaign preflight diwali.toml --recipients users: --filter 'city eq Pune'
    """
    _preflight(as_json, options)


def _preflight(as_json: bool, options: dict[str, Any]) -> None:
    own = {"price_file": options["prices"], "timeout": options["timeout"]}

    def make(made: definition.Definition, source: Source, reject: Any) -> creation.Checked:
        return creation.Checked("", creation.check(link(), made, source, reject=reject, **own))

    found = _made(options, make)
    _report(found, as_json)
    if not found.report.ok:
        raise SystemExit(1)
