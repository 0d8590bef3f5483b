"""``python -m worker schedule``: what beat runs."""

from __future__ import annotations

import contextlib
import json
import os
from datetime import UTC, datetime
from typing import Any

import click

from worker.campaigns.running.run_campaign import look
from worker.cli.common import (
    account_option,
    bad_input,
    json_option,
    known_ledger,
    ledger,
    link,
    noted,
    say,
    show_json,
    show_list,
)
from worker.cli.schedule_make import changed, fields
from worker.ledger import audit
from worker.schedules.definition import Schedule, read
from worker.schedules.errors import NoSuchSchedule, Refused, ScheduleError
from worker.schedules.store import Schedules, Stored


@click.group()
def command() -> None:
    """Make, change, pause and list schedules; beat runs them, each slot once.

    Example: python -m worker schedule add evening --cron "0 18 * * mon-fri" --timezone Asia/Kolkata
    --definition diwali.toml --recipients people.csv
    """


@command.command()
@click.argument("name")
@fields
@click.option("--paused", is_flag=True, help="Begin with `resume`.")
@account_option
def add(name: str, account: str, paused: bool, **given: Any) -> None:
    """Make a schedule.

    Example: python -m worker schedule add heartbeat --every 15m --run track_event --payload event.json
    """
    known_ledger(account)
    schedules = Schedules(link())
    table = changed({"account": account}, given)
    if "every" in table and "start" not in table:
        table["start"] = datetime.fromtimestamp(int(schedules.now()), UTC).isoformat()
    made = read(name, table)
    if made.after(int(schedules.now())) is None:
        raise Refused("it would never run: its end has passed")
    _look(made)
    schedules.add(made, paused=paused)
    _done("add", schedules.get(name))


@command.command()
@click.argument("name")
@fields
def change(name: str, **given: Any) -> None:
    """Change a schedule; what is not said stays. Slots up to now are no concern of the changed one.

    Example: python -m worker schedule change evening --cron "30 18 * * *"
    """
    schedules = Schedules(link())
    found = _made(schedules.get(name))
    made = read(name, changed(json.loads(found.schedule.table), given))
    _look(made)
    schedules.change(made, found)
    _done("change", schedules.get(name))


@command.command("list")
@json_option
def list_(as_json: bool) -> None:
    """All schedules: when, what, the next slot, the last."""
    schedules = Schedules(link())
    facts, lines = [], []
    for name in schedules.names():
        try:
            found = schedules.get(name)
        except NoSuchSchedule:
            continue
        except ScheduleError as error:
            facts.append({"name": name, "error": f"this version cannot read it: {error}"})
            lines.append(f"{name}: this version cannot read it: {error}")
        else:
            facts.append(_facts(found))
            lines.append(_summary(found))
    if as_json:
        show_json(facts)
        return
    show_list(lines, str, none="no schedule yet: python -m worker schedule add --help")
    if lines and not schedules.has_beat():
        say("no beat is active: nothing runs until one is", err=True)


@command.command()
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """Everything about one, with its payload."""
    found = Schedules(link()).get(name)
    if as_json:
        show_json({**_facts(found), "fields": json.loads(found.schedule.table)})
        return
    say(_summary(found))
    say(f"  {found.origin}; {found.runs:,} runs, {found.failed:,} failed, {found.missed:,} slots missed")
    facts = {"last slot": _moment(found, found.last), "job": found.job, "error": found.error}
    for label, value in facts.items():
        if value:
            say(f"  {label}: {value}")
    for failure in found.failures[:10]:
        say(f"  failed: {failure}")
    show_json(json.loads(found.schedule.table), indent=2)


@command.command()
@click.argument("name")
def pause(name: str) -> None:
    """Start nothing more until `resume`; slots that pass meanwhile are not made up for."""
    schedules = Schedules(link())
    schedules.pause(name)
    _done("pause", schedules.get(name), f"{name} is paused")


@command.command()
@click.argument("name")
def resume(name: str) -> None:
    """Go on with the next slot."""
    schedules = Schedules(link())
    schedules.resume(name)
    _done("resume", schedules.get(name))


@command.command()
@click.argument("name")
def remove(name: str) -> None:
    """Take a schedule out; jobs that it has made stay."""
    schedules = Schedules(link())
    with contextlib.suppress(ScheduleError):  # one that this version cannot read may go
        _made(schedules.get(name))
    schedules.remove(name)
    audit.note(link(), "", "schedule_remove", schedule=name)
    say(f"{name} is gone")


@command.command("next")
@click.argument("name")
@click.option("--count", default=5, show_default=True, type=click.IntRange(1, 1000))
@json_option
def next_(name: str, count: int, as_json: bool) -> None:
    """The next slots of a schedule, by its own clock."""
    schedules = Schedules(link())
    found = schedules.get(name)
    slots: list[int] = []
    at: int | None = max(int(schedules.now()), found.mark)
    while len(slots) < count and at is not None and (at := found.schedule.after(at)) is not None:
        slots.append(at)
    if as_json:
        show_json([_moment(found, slot) for slot in slots])
        return
    for slot in slots:
        say(f"{datetime.fromtimestamp(slot, found.schedule.zone):%a %Y-%m-%d %H:%M:%S %Z}")
    if found.paused:
        say("it is paused")


def _look(schedule: Schedule) -> None:
    """Refuse a campaign that no slot could read; the folder is the workers', and may be elsewhere."""
    if schedule.run != "run_campaign":
        return
    folder = os.environ.get("INTERAKT_CAMPAIGN_DIR", "").strip()
    if not folder and any(
        isinstance(schedule.payload.get(name), str) for name in ("definition", "recipients")
    ):
        say("INTERAKT_CAMPAIGN_DIR is not set here: its files were not looked at", err=True)
        return
    with bad_input():
        look(link(), schedule.account, schedule.payload, folder)


def _done(act: str, found: Stored, says: str = "") -> None:
    """Note what was done to a schedule, and say what it is now."""
    noted(
        ledger(found.schedule.account),
        f"schedule_{act}",
        says or _summary(found),
        schedule=found.schedule.name,
    )


def _made(found: Stored) -> Stored:
    """A schedule that may be changed here."""
    if found.origin == "file":
        raise Refused(f"{found.schedule.name!r} stands in the file of schedules: change it there")
    return found


def _moment(found: Stored, at: int | None) -> str:
    return datetime.fromtimestamp(at, found.schedule.zone).isoformat() if at else ""


def _facts(found: Stored) -> dict[str, Any]:
    """What a machine may want to know; no payload."""
    schedule = found.schedule
    return {
        "name": schedule.name,
        "when": schedule.says(),
        "timezone": schedule.zone.key,
        "run": schedule.run,
        "account": schedule.account,
        "next": _moment(found, found.due()),
        "last": _moment(found, found.last),
        **{name: getattr(found, name) for name in ("origin", "paused", "runs", "missed", "failed")},
        **{name: getattr(found, name) for name in ("failures", "job", "error")},
    }


def _summary(found: Stored) -> str:
    due = found.due()
    ahead = "paused" if found.paused else f"next {_moment(found, due)}" if due else "ended"
    wrong = f"; {found.failed:,} failed" if found.failed else ""
    wrong += f"; last slot: {found.error}" if found.error else ""
    schedule = found.schedule
    return f"{schedule.name}: {schedule.says()}, {schedule.run} ({schedule.account}), {ahead}{wrong}"
