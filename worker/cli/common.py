"""What the commands share: options, an account's ledger, errors in words, times and lists as text."""

from __future__ import annotations

import functools
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click
from celery.exceptions import TimeoutError as CeleryTimeoutError
from marshmallow import ValidationError
from rich.console import Console

from config.urls import Store
from interakt_jobs.errors import JobError, LedgerUnreachable
from interakt_jobs.ledger.constants import LANES
from interakt_jobs.ledger.keys import ACCOUNTS, DEFAULT_ACCOUNT, account_name, parse
from interakt_jobs.ledger.redis_client import RedisClient
from worker.campaigns.definition.errors import BadCampaignId, CampaignError, NoSuchCampaign, PlanTaken
from worker.ledger import audit
from worker.ledger.work_ledger import WorkLedger
from worker.schedules.errors import NoSuchSchedule, Refused, ScheduleError
from worker.telemetry.shown import as_json, shown

Command = TypeVar("Command", bound=Callable[..., Any])
Row = TypeVar("Row")
_AGE = re.compile(r"(\d+(?:\.\d+)?)([smhd]?)\Z")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


class Several(click.ClickException):
    """Mistakes a line each; the lines have gone through ``shown``."""


class BadInput(Several):
    """A definition, a file or a setting that cannot be used."""

    exit_code = 2


def redis_url() -> str:
    """``REDIS_URL``, or its default."""
    text = os.environ.get("REDIS_URL", "").strip() or "redis://127.0.0.1:6379/0"
    try:
        return str(Store().deserialize(text))
    except ValidationError as error:
        raise BadInput(shown(f"REDIS_URL: {error.messages[0]}")) from None


def link() -> RedisClient:
    """The Redis of ``REDIS_URL``."""
    return RedisClient(redis_url())


def ledger(account: str) -> WorkLedger:
    try:
        return WorkLedger(link(), account_name(account))
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def known_ledger(account: str) -> WorkLedger:
    """The ledger of an account that a worker registered; another is more likely mistyped than empty."""
    found = ledger(account)
    known = accounts(found.link)
    if account not in known:
        raise BadInput(
            shown(f"no account {account!r} at this Redis; known: {', '.join(known) or 'none yet'}")
        )
    return found


def accounts(redis: RedisClient) -> list[str]:
    """The accounts that workers registered."""
    return sorted(name.decode("utf-8", "replace") for name in redis.command("SMEMBERS", ACCOUNTS))


def options(*each: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Several of click's options and arguments as one decorator."""
    return lambda function: functools.reduce(lambda made, option: option(made), reversed(each), function)


account_option = click.option(
    "--account", default=DEFAULT_ACCOUNT, show_default=True, help="The account the jobs belong to."
)
json_option = click.option("--json", "as_json", is_flag=True, help="For machines: JSON.")
lane_option = click.option("--lane", type=click.Choice(LANES), default=None)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NEW_FILE = click.Path(dir_okay=False, path_type=Path)


def job_ledger(job: str) -> tuple[WorkLedger, str]:
    """The ledger and the job_key of a job id."""
    try:
        account, job_key = parse(job)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="ID") from None
    return ledger(account), job_key


@contextmanager
def plain_errors() -> Iterator[None]:
    """Say in words what a person or Redis got wrong, without a traceback."""
    try:
        yield
    except LedgerUnreachable as error:
        where = redis_url().rpartition("@")[2].rpartition("//")[2].partition("?")[0]
        raise click.ClickException(f"{error} (REDIS_URL: {where})") from None
    except BadCampaignId as error:
        raise click.BadParameter(error.errors["campaign"], param_hint="ID") from None
    except ScheduleError as error:
        raise BadInput(str(error)) from None
    except CampaignError as error:
        raise Several(str(error)) from None
    except (JobError, NoSuchCampaign, PlanTaken, NoSuchSchedule, Refused) as error:
        raise click.ClickException(str(error)) from None
    except CeleryTimeoutError:
        raise click.ClickException(
            "no worker answered in time: is one running? see python -m worker status"
        ) from None
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(0) from None
    except OSError as error:
        if not error.filename:
            raise
        raise click.FileError(str(error.filename), error.strerror or str(error)) from None


@contextmanager
def bad_input() -> Iterator[None]:
    """What a ``CampaignError`` says is about the files that were given: the exit code is that of bad input."""
    try:
        yield
    except BadCampaignId:
        raise
    except CampaignError as error:
        raise BadInput(str(error)) from None


def seconds(text: str) -> float:
    """``90``, ``90s``, ``15m``, ``12h`` or ``7d`` in seconds."""
    match = _AGE.match(text)
    if not match:
        raise click.BadParameter(f"{text!r} is no time: use 90s, 15m, 12h or 7d")
    return float(match[1]) * _SECONDS[match[2]]


def ago(milliseconds: float) -> str:
    """A span of time in the largest unit that says enough."""
    passed = max(0.0, milliseconds / 1000)
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if passed >= 2 * size:
            return f"{passed / size:.0f} {unit}"
    return f"{passed:.0f} s"


def since(at_ms: float) -> str:
    return f"{ago(time.time() * 1000 - at_ms)} ago"


def moment(at_ms: float) -> str:
    """A time to come, and how long it is until then."""
    day = datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"{day} (in {ago(at_ms - time.time() * 1000)})"


def say(value: object = "", *, err: bool = False, most: int = 2000, **style: Any) -> None:
    """One line, safe to show whatever it quotes; ``style`` is click's."""
    click.secho(shown(value, most), err=err, **style)


def noted(found: WorkLedger, act: str, says: str, **facts: object) -> None:
    """Note in the audit what was done to an account, and say it."""
    audit.note(found.link, found.account, act, **facts)
    say(says)


def show_json(value: Any, indent: int | None = None) -> None:
    click.echo(as_json(value, indent))


def show_list(
    rows: Iterable[Row], line: Callable[[Row], str], as_json: bool = False, none: str = "none"
) -> None:
    """A line for each row, or each as a line of JSON."""
    empty = True
    for row in rows:
        empty = False
        if as_json:
            show_json(row)
        else:
            say(line(row))
    if empty and not as_json:
        say(none)


def say_attempts(log: list[dict[str, Any]]) -> None:
    """The outcome of each of a job's attempts."""
    for entry in log:
        at = f"{since(entry['at'])}: " if "at" in entry else ""
        say(f"  {at}{entry.get('outcome', '')} {entry.get('error') or entry.get('status') or ''}")


def terminal(*, err: bool = False) -> Console:
    """A terminal for tables, which takes no text for markup; what it shows must have gone through ``shown``."""
    return Console(stderr=err, markup=False, highlight=False, emoji=False)
