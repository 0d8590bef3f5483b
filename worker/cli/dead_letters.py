"""``python -m worker dead-letters``: the workbench."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import click

import schemas
from config.settings import load as load_settings
from interakt_jobs import PayloadError
from interakt_jobs.ledger.recipient_numbers import DEAD_REASONS
from worker.cli.common import (
    FILE,
    account_option,
    job_ledger,
    json_option,
    known_ledger,
    lane_option,
    options,
    say,
    say_attempts,
    seconds,
    show_json,
    show_list,
    since,
)
from worker.ledger.dead_letters import DeadLetters, Filter
from worker.ledger.work_ledger import WorkLedger
from worker.telemetry.shown import as_json

ANSWERS = {
    "replayed": "sent again",
    "missing": "no such job",
    "alive": "not a dead letter",
    "no_payload": "its payload is no longer kept",
    "unknown_outcome": "it may have been sent: --allow-duplicates sends it again all the same",
}


filters = options(
    click.option("--reason", type=click.Choice(DEAD_REASONS), default=None),
    click.option("--operation", default="", help="Such as send_template."),
    click.option("--template", default="", help="The template's name."),
    lane_option,
    click.option("--older", default="", help="Dead for longer than: 90s, 15m, 12h, 7d."),
    click.option("--newer", default="", help="Dead for less than: 90s, 15m, 12h, 7d."),
    click.option("--text", default="", help="A regular expression on the error."),
    click.option("--delivery-failed", is_flag=True, help="Jobs accepted and then failed by receipt."),
)
chosen_ids = options(
    click.argument("ids", nargs=-1, metavar="[ID]..."),
    filters,
    click.option("--all", "everything", is_flag=True, help="All that match; without a filter all there are."),
)


def chosen(given: dict[str, Any], ids: Sequence[str] = ("",), everything: bool = True) -> Filter:
    """The filter; a usage error when there are neither ids, nor a filter, nor ``--all``."""
    try:
        re.compile(given["text"])
    except re.error as error:
        raise click.BadParameter(f"no regular expression: {error}", param_hint="--text") from None
    ages = {name: seconds(given[name]) if given[name] else 0 for name in ("older", "newer")}
    wanted = Filter(**{**given, **ages, "reason": given["reason"] or "", "lane": given["lane"] or ""})
    if not ids and wanted == Filter() and not everything:
        raise click.UsageError("name ids, give a filter, or say --all")
    return wanted


@click.group()
def command() -> None:
    """Jobs that ended without being accepted: list, show, edit, replay, drop, export.

    Example: python -m worker dead-letters list --reason rejected --newer 12h
    """


@command.command("list")
@filters
@click.option("--most", default=100, show_default=True, type=click.IntRange(1))
@account_option
@json_option
def list_(account: str, most: int, as_json: bool, **given: Any) -> None:
    """List dead letters, the newest first."""
    letters = DeadLetters(known_ledger(account)).find(chosen(given))
    show_list(map(asdict, islice(letters, most)), _line, as_json)
    if next(letters, None):
        say(f"... more: --most {most * 10}", err=True)


def _line(letter: dict[str, Any]) -> str:
    return "{id}  {when:>9}  {operation:20} {reason:16} {error:.80}".format(
        when=since(letter["at"]), **letter
    )


@command.command()
@click.argument("id")
@json_option
def show(id: str, as_json: bool) -> None:
    """Everything about one: reason, all attempts, and the payload (which holds personal data)."""
    found, job_key = job_ledger(id)
    reading = found.read(job_key)
    if as_json:
        show_json(asdict(reading))
        return
    say(f"{id}: {reading.state}, {reading.reason}")
    say(f"  {reading.operation} in {reading.lane}, {reading.attempts} attempts, repeat {reading.repeat}")
    if reading.error:
        say(f"  {reading.error}")
    say_attempts(reading.log)
    if reading.payload is None:
        say(f"  {ANSWERS['no_payload']}")
    else:
        show_json(reading.payload, indent=2)


@command.command()
@click.argument("id")
@click.option("--payload", "file", type=FILE, help="The new payload, JSON.")
@click.option(
    "--set", "changes", multiple=True, metavar="PATH=JSON", help="Such as --set phoneNumber='\"9999999999\"'."
)
def edit(id: str, file: Path | None, changes: tuple[str, ...]) -> None:
    """Change a dead letter's payload: with --payload FILE, --set PATH=JSON, or else in $EDITOR. Then replay it."""
    found, job_key = job_ledger(id)
    letters = DeadLetters(found)
    reading = letters.ledger.read(job_key)
    if reading.payload is None:
        raise click.ClickException(f"{reading.state}: {ANSWERS['no_payload']}")
    text = json.dumps(reading.payload, indent=2, ensure_ascii=False)
    if file:
        text = file.read_text(encoding="utf-8")
    elif not changes:
        text = click.edit(text, extension=".json") or text
    try:
        payload = json.loads(text)
    except ValueError as error:
        raise click.ClickException(f"not JSON: {error}") from None
    for change in changes:
        _set(payload, change)
    try:
        letters.edit(job_key, payload, allow_unknown=load_settings(keys=False).allow_unknown_fields)
    except (schemas.Invalid, PayloadError) as error:
        raise click.ClickException(str(error)) from None
    say(f"changed; send it with: python -m worker dead-letters replay {id}")


def _set(payload: Any, change: str) -> None:
    path, equals, value = change.partition("=")
    if not equals:
        raise click.BadParameter("write PATH=JSON", param_hint="--set")
    *parents, last = path.split(".")
    try:
        for name in parents:
            payload = payload[int(name)] if isinstance(payload, list) else payload.setdefault(name, {})
        payload[int(last) if isinstance(payload, list) else last] = json.loads(value)
    except json.JSONDecodeError:
        raise click.BadParameter(
            f"{value!r} is no JSON: a text needs quotes, {path}='\"...\"'", param_hint="--set"
        ) from None
    except (AttributeError, TypeError, ValueError, IndexError):
        raise click.BadParameter(f"the payload has no place {path}", param_hint="--set") from None


@command.command()
@chosen_ids
@click.option("--allow-duplicates", is_flag=True, help="Also those that may have been sent.")
@click.option("--dry-run", is_flag=True, help="Say what would happen; change nothing.")
@click.option("--per-minute", default=0.0, help="Spread them: so many a minute.")
@account_option
def replay(
    ids: tuple[str, ...],
    everything: bool,
    allow_duplicates: bool,
    dry_run: bool,
    per_minute: float,
    account: str,
    **given: Any,
) -> None:
    """Send dead letters again, with all checks of a new send."""

    def said(answer: str) -> str:
        return f"{'would be ' if dry_run and answer == 'replayed' else ''}{ANSWERS[answer]}"

    failed = 0
    for id in ids:
        found, job_key = job_ledger(id)
        answer = DeadLetters(found).replay(job_key, allow_duplicates=allow_duplicates, dry_run=dry_run)
        say(f"{id}: {said(answer)}")
        failed += answer != "replayed"
    if ids:
        raise SystemExit(1 if failed else 0)
    wanted = chosen(given, ids, everything)
    replayed = DeadLetters(known_ledger(account)).replay_all(
        wanted, per_minute=per_minute, allow_duplicates=allow_duplicates, dry_run=dry_run
    )
    counts = Counter(answer for _, answer in replayed)
    show_list(counts.items(), lambda pair: f"{pair[1]:,} {said(pair[0])}", none="none match")


@command.command()
@chosen_ids
@click.option("--dry-run", is_flag=True, help="Say how many it would be; change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@account_option
def drop(
    ids: tuple[str, ...], everything: bool, dry_run: bool, yes: bool, account: str, **given: Any
) -> None:
    """Drop dead letters for good; says how many before it asks."""
    if given["delivery_failed"]:
        raise click.UsageError("--delivery-failed: those were accepted, there is no dead letter to drop")
    wanted = chosen(given, ids, everything)
    found: dict[str, tuple[WorkLedger, list[str]]] = {}
    for ledger, job_key in map(job_ledger, ids) if ids else _matching(account, wanted):
        found.setdefault(ledger.account, (ledger, []))[1].append(job_key)
    found = {
        name: (ledger, DeadLetters(ledger).are_dead(job_keys)) for name, (ledger, job_keys) in found.items()
    }
    number = sum(len(job_keys) for _, job_keys in found.values())
    if dry_run or not number:
        say(f"{number:,} would be dropped" if number else "none match")
        return
    if not yes:
        click.confirm(f"Drop {number:,} dead letters? They cannot be brought back.", abort=True)
    dropped = sum(DeadLetters(ledger).drop(*job_keys) for ledger, job_keys in found.values())
    say(f"{dropped:,} dropped")


def _matching(account: str, wanted: Filter) -> Iterator[tuple[WorkLedger, str]]:
    ledger = known_ledger(account)
    return ((ledger, letter.job_key) for letter in DeadLetters(ledger).find(wanted))


@command.command()
@filters
@account_option
@click.option(
    "--output",
    type=click.File("w", encoding="utf-8", lazy=False),
    default="-",
    help="A file; standard output without it.",
)
def export(account: str, output: Any, **given: Any) -> None:
    """JSON lines with payload and attempts: they hold personal data."""
    letters = DeadLetters(known_ledger(account))
    for letter in letters.find(chosen(given)):
        reading = letters.ledger.read(letter.job_key)
        line = {**asdict(letter), "payload": reading.payload, "log": reading.log}
        output.write(f"{as_json(line)}\n")
