"""What ``schedule add`` and ``schedule change`` take, as the fields of a schedule."""

from __future__ import annotations

import json
from typing import Any

import click

from worker.cli.common import lane_option, options
from worker.schedules.definition import MISSED

PLAIN = ("cron", "every", "timezone", "start", "end", "run", "lane", "expires", "missed", "late")


fields = options(
    click.option("--cron", help="Five fields: minute hour day month weekday."),
    click.option("--every", help="An interval instead: 90s, 15m, 12h, 7d."),
    click.option("--timezone", help="Of the cron, such as Asia/Kolkata; UTC when left out."),
    click.option("--start", help="No slot before: 2026-11-27T09:00+05:30. An interval counts from here."),
    click.option("--end", help="No slot after."),
    click.option("--run", help="An operation such as send_template, or run_campaign."),
    click.option(
        "--payload", type=click.File(encoding="utf-8"), help="Its payload, a JSON file; - is stdin."
    ),
    click.option("--definition", help="Of run_campaign: the name of a file in INTERAKT_CAMPAIGN_DIR."),
    click.option("--recipients", help="Of run_campaign: the name of a file there."),
    lane_option,
    click.option("--expires", help="A job that has not started so long after its slot is dead: 10m."),
    click.option(
        "--missed", type=click.Choice(MISSED), help="A slot nobody was there for: run once, or skip."
    ),
    click.option("--late", help="With once: not later than this; 1h when left out."),
)


def changed(table: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """The table with what was given; raises ``click.UsageError`` and ``click.BadParameter``."""
    said = {name: given[name] for name in PLAIN if given[name] is not None}
    made = {**table, **said}
    if "cron" in said and "every" not in said:
        made.pop("every", None)
    elif "every" in said and "cron" not in said:
        made.pop("cron", None)
    for name in ("start", "end", "lane", "expires", "late"):
        if made.get(name) == "":
            del made[name]
    files = {name: given[name] for name in ("definition", "recipients") if given[name] is not None}
    if files and given["payload"]:
        raise click.UsageError("--definition and --recipients are a payload: leave out --payload")
    if files:
        made.setdefault("run", "run_campaign")
        made["payload"] = {**(made.get("payload") or {}), **files}
    if given["payload"]:
        try:
            made["payload"] = json.load(given["payload"])
        except ValueError as error:
            raise click.BadParameter(f"not JSON: {error}", param_hint="--payload") from None
    return made
