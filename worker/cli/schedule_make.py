"""What ``schedule add`` and ``schedule change`` take, as the fields of a schedule."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from worker.cli.common import Several
from worker.schedules.definition import MISSED, ScheduleError
from worker.schedules.store import NoSuchSchedule, Refused

PLAIN = ("cron", "every", "timezone", "start", "end", "run", "lane", "expires", "missed", "late")


class Mistaken(Several):
    """Bad input: a schedule that cannot be one."""

    exit_code = 2


@contextmanager
def told() -> Iterator[None]:
    """Tell a person's mistake in words."""
    try:
        yield
    except ScheduleError as error:
        raise Mistaken(str(error)) from None
    except (NoSuchSchedule, Refused) as error:
        raise click.ClickException(str(error)) from None


def fields(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that are a schedule's fields."""
    for option in reversed(
        (
            click.option("--cron", help="Five fields: minute hour day month weekday."),
            click.option("--every", help="An interval instead: 90s, 15m, 12h, 7d."),
            click.option("--timezone", help="Of the cron, such as Asia/Kolkata; UTC when left out."),
            click.option("--start", help="No slot before: 2026-11-27T09:00+05:30. An interval counts from here."),
            click.option("--end", help="No slot after."),
            click.option("--run", help="An operation such as send_template, or run_campaign."),
            click.option("--payload", type=click.File(encoding="utf-8"), help="Its payload, a JSON file; - is stdin."),
            click.option("--definition", help="Of run_campaign: the name of a file in INTERAKT_CAMPAIGN_DIR."),
            click.option("--recipients", help="Of run_campaign: the name of a file there."),
            click.option("--lane", type=click.Choice(["urgent", "normal", "bulk"])),
            click.option("--expires", help="A job that has not started so long after its slot is dead: 10m."),
            click.option("--missed", type=click.Choice(MISSED), help="A slot nobody was there for: run once, or skip."),
            click.option("--late", help="With once: not later than this; 1h when left out."),
        )
    ):  # fmt: skip
        function = option(function)
    return function


def changed(table: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """The table with what the options say; raises ``click.UsageError`` and ``click.BadParameter``."""
    said = {name: options[name] for name in PLAIN if options[name] is not None}
    made = {**table, **said}
    if "cron" in said and "every" not in said:
        made.pop("every", None)
    elif "every" in said and "cron" not in said:
        made.pop("cron", None)
    for name in ("start", "end", "lane", "expires", "late"):
        if made.get(name) == "":
            del made[name]
    files = {name: options[name] for name in ("definition", "recipients") if options[name] is not None}
    if files and options["payload"]:
        raise click.UsageError("--definition and --recipients are a payload: leave out --payload")
    if files:
        made.setdefault("run", "run_campaign")
        made["payload"] = {**(made.get("payload") or {}), **files}
    if options["payload"]:
        try:
            made["payload"] = json.load(options["payload"])
        except ValueError as error:
            raise click.BadParameter(f"not JSON: {error}", param_hint="--payload") from None
    return made
