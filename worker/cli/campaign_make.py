"""``campaign create`` and ``campaign preflight``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

import interakt_jobs
from worker.campaigns import creation
from worker.campaigns.definition import definition
from worker.campaigns.planning.prices import DEFAULT as PRICES
from worker.campaigns.recipients.rows import Raw, Rejected, RejectsFile, Source
from worker.campaigns.recipients.sources import open_source
from worker.campaigns.recipients.users import Users, read_filter
from worker.campaigns.running import control
from worker.cli.common import (
    FILE,
    NEW_FILE,
    bad_input,
    json_option,
    known_ledger,
    link,
    options,
    redis_url,
    say,
    show_json,
    terminal,
)
from worker.ledger import audit

delimiter_option = click.option(
    "--delimiter",
    default="",
    callback=lambda _, __, text: delimiter_of(text),
    help="What is between the cells of a CSV file.  [default: found]",
)
making = options(
    click.argument("definition_file", metavar="DEFINITION.toml", type=FILE),
    click.option("--recipients", required=True,
                 help="A file (CSV, .xlsx, JSON lines), or `users:`, Interakt's own."),
    delimiter_option,
    click.option("--allow-empty-values", is_flag=True, help="Send values such as None, NaN or ???? as they are."),
    click.option("--filter", "filters", multiple=True, metavar="WORDS",
                 help="With users: a TRAIT OPERATOR VALUE, such as 'city eq Pune'; 'or ...' joins by or."),
    click.option("--rejected", type=NEW_FILE, help="Write rows left out here."),
    click.option("--prices", "price_file", type=FILE, default=PRICES,
                 help="The price file.  [default: config/prices.csv]"),
    click.option("--timeout", default=60.0, show_default=True, help="Seconds to wait for Interakt's templates."),
    json_option,
)  # fmt: skip


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
    return open_source(path, delimiter=delimiter), lines_in(path)


def delimiter_of(text: str) -> str:
    """One character, or ``tab``."""
    if len(text) > 1 and text.lower() not in ("tab", "\\t"):
        raise click.BadParameter("one character, or tab", param_hint="--delimiter")
    return "\t" if len(text) > 1 else text


class Counted:
    """A source that tells a progress bar how many rows it has given; ``total`` is about how many there are."""

    def __init__(self, source: Source, bar: Progress, total: int | None) -> None:
        self.source, self.bar = source, bar
        self.task = bar.add_task("reading recipients", total=total)

    @property
    def keeps(self) -> bool:
        return self.source.keeps

    def columns(self) -> list[str]:
        return self.source.columns()

    def rows(self, wanted: Sequence[str], own: Sequence[str] = ()) -> Iterator[Raw]:
        number = 0
        for number, row in enumerate(self.source.rows(wanted, own), 1):
            if number % 1000 == 0:
                self.bar.update(self.task, completed=number, description=f"{number:,} rows read")
            yield row
        self.bar.update(self.task, completed=number, total=number, description=f"{number:,} rows read")


def lines_in(path: Path) -> int:
    """About how many rows a file has: its line ends, counted at a gigabyte a second."""
    with path.open("rb") as file:
        return sum(part.count(b"\n") for part in iter(lambda: file.read(1 << 20), b""))


def reading_bar(console: Console) -> Progress:
    """Shown while recipients are read; it leaves nothing behind."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )


@contextmanager
def rejects(path: Path | None) -> Iterator[Callable[[Rejected], None] | None]:
    if path is None:
        yield None
        return
    with path.open("w", newline="", encoding="utf-8") as file:
        yield RejectsFile(file).add


def _checked(make: Callable[..., creation.Checked], as_json: bool, given: dict[str, Any]) -> creation.Checked:
    """Read the definition and the recipients, show the report, and exit with 1 unless preflight is content."""
    with bad_input():
        made = definition.load(given["definition_file"])
        if given["allow_empty_values"]:
            made = replace(made, recipients=replace(made.recipients, allow_empty_values=True))
        redis = known_ledger(made.account).link
        interakt_jobs.configure(redis_url())
        source, total = _source(given["recipients"], given["delimiter"], given["filters"], made)
        bar = reading_bar(terminal(err=True))
        own = {"price_file": given["price_file"], "timeout": given["timeout"]}
        with rejects(given["rejected"]) as reject, bar:
            found = make(redis, made, Counted(source, bar, total), reject=reject, **own)
    if as_json:
        show_json({"campaign": found.campaign, **json.loads(found.report.as_json())})
    else:
        for line in found.report.text().split("\n"):
            say(line)
    if not found.report.ok:
        raise SystemExit(1)
    return found


def _preflight(*given: Any, **options: Any) -> creation.Checked:
    return creation.Checked("", creation.check(*given, **options))


@click.command()
@making
@click.option("--start", "start_it", is_flag=True, help="Start it when preflight finds no problem.")
@click.option("--dry-run", is_flag=True, help="Do all but plan and send.")
def create(start_it: bool, dry_run: bool, as_json: bool, **given: Any) -> None:
    """Check a campaign and plan it; it is sent after `start`.

    Exits with 1 when preflight refuses it; then nothing is kept.

    Example: python -m worker campaign create diwali.toml --recipients people.csv --rejected bad.csv --start
    """
    found = _checked(_preflight if dry_run else creation.create, as_json, given)
    if dry_run:
        return
    account = definition.load(given["definition_file"]).account
    audit.note(link(), account, "campaign_create", campaign=found.campaign)
    if start_it:
        control.start(link(), account, found.campaign, who=audit.user())
    if not as_json:
        word = "runs" if start_it else f"is planned: python -m worker campaign start {found.campaign}"
        say()
        say(f"{found.campaign} {word}" + (f" --account {account}" if account != "default" else ""))


@click.command()
@making
def preflight(as_json: bool, **given: Any) -> None:
    """Check a campaign and show what would happen; nothing is kept and nothing is sent.

    Example: python -m worker campaign preflight diwali.toml --recipients users: --filter 'city eq Pune'
    """
    _checked(_preflight, as_json, given)
