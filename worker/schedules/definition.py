"""A schedule as a checked value: when it is due, and which job it makes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import schemas
from interakt_jobs import OPERATIONS, PayloadError, run_campaign
from interakt_jobs.ledger.constants import LANES
from interakt_jobs.ledger.keys import DEFAULT_ACCOUNT, account_name
from interakt_jobs.operation import Operation
from worker.campaigns.definition.fields import Fields

from .cron import Cron, cron
from .errors import ScheduleError
from .interval import Interval, span

NAME = re.compile(r"[a-z0-9][a-z0-9_\-]{0,39}")
MISSED = ("once", "skip")
LATE_SECONDS, SKIP_SECONDS = 3600, 60
RUNNABLE: dict[str, Operation[Any]] = {**OPERATIONS, "run_campaign": run_campaign}


@dataclass(frozen=True, slots=True)
class Schedule:
    """What runs when. ``table`` is what it was read from; ``start`` and ``end`` are seconds since the epoch, 0 for none."""

    name: str
    when: Cron | Interval
    zone: ZoneInfo
    run: str
    payload: dict[str, Any]
    account: str = DEFAULT_ACCOUNT
    lane: str = ""
    expires: int = 0
    missed: str = "once"
    late: int = LATE_SECONDS
    start: int = 0
    end: int = 0
    table: str = ""

    @property
    def grace(self) -> int:
        """How many seconds late a slot may run."""
        return SKIP_SECONDS if self.missed == "skip" else self.late

    def after(self, moment: int) -> int | None:
        """The first slot later than ``moment``; None when there is no more."""
        slot = self.when.after(max(moment, self.start - 1))
        return None if slot is None or (self.end and slot > self.end) else slot

    def latest(self, until: int, since: int) -> int | None:
        """The last slot later than ``since``, and not later than ``until``."""
        return self.when.latest(min(until, self.end) if self.end else until, max(since, self.start - 1))

    def says(self) -> str:
        """When it runs, for people."""
        if isinstance(self.when, Cron):
            return f"{self.when.text} ({self.zone.key})"
        return f"every {json.loads(self.table)['every']}"


def read(name: str, table: Mapping[str, Any], *, check: bool = True) -> Schedule:
    """Check a schedule given as a table; raises ``ScheduleError`` with every mistake.

    Fields: ``cron`` or ``every``; ``timezone`` (UTC when left out), ``start``, ``end``; ``run`` (an operation, or
    ``run_campaign``) and ``payload``; ``account``, ``lane``, ``expires``; ``missed`` and ``late``. Without ``check`` the
    payload is taken as it is.
    """
    errors: dict[str, str] = {}
    if not NAME.fullmatch(name):
        errors["name"] = "must be 1 to 40 lower-case letters, digits, dashes or underscores"
    fields = Fields(dict(table), errors)
    canonical = _canonical(table, errors)
    zone = _zone(fields)
    start, end = _moment(fields, "start"), _moment(fields, "end")
    when = _when(fields, zone, start)
    run, payload = fields.text("run", None, 60), fields.take("payload")
    account, lane = fields.text("account", DEFAULT_ACCOUNT, 32), fields.text("lane")
    missed = fields.text("missed", "once")
    late, expires = _span(fields, "late", LATE_SECONDS), _span(fields, "expires", 0)
    if lane and lane not in LANES:
        fields.wrong("lane", f"must be one of {', '.join(LANES)}")
    if missed not in MISSED:
        fields.wrong("missed", f"must be {' or '.join(MISSED)}")
    if start and end and end < start:
        fields.wrong("end", "is before the start")
    try:
        account_name(account)
    except ValueError as error:
        fields.wrong("account", str(error))
    if run and run not in RUNNABLE:
        fields.wrong("run", "no such operation; one looks like send_template or run_campaign")
    if not isinstance(payload, dict):
        fields.wrong("payload", "must be a table")
    elif check and run in RUNNABLE:
        _check_payload(fields, run, payload)
    fields.close()
    if errors or when is None:
        raise ScheduleError(errors)
    return Schedule(
        name, when, zone, run, payload, account, lane, expires, missed, late, start, end, canonical
    )


def _canonical(table: Mapping[str, Any], errors: dict[str, str]) -> str:
    try:
        return json.dumps(dict(table), sort_keys=True, ensure_ascii=False, allow_nan=False, default=_plain)
    except (TypeError, ValueError, RecursionError):
        errors[""] = "must hold text, numbers, times, lists and tables alone"
        return ""


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError


def _zone(fields: Fields) -> ZoneInfo:
    name = fields.text("timezone", "UTC")
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        fields.wrong("timezone", "no such time zone; one looks like Asia/Kolkata")
        return ZoneInfo("UTC")


def _moment(fields: Fields, name: str) -> int:
    moment = fields.moment(name)
    return int(moment.timestamp()) if moment else 0


def _span(fields: Fields, name: str, default: int) -> int:
    text = fields.text(name)
    try:
        return span(text) if text else default
    except ValueError as error:
        fields.wrong(name, str(error))
        return default


def _when(fields: Fields, zone: ZoneInfo, anchor: int) -> Cron | Interval | None:
    if fields.has("cron") == fields.has("every"):
        fields.wrong("cron", "say either cron or every")
        for name in ("cron", "every"):
            fields.take(name)
        return None
    name = "cron" if fields.has("cron") else "every"
    text = fields.text(name, None, 200)
    try:
        return cron(text, zone) if name == "cron" else Interval(span(text), anchor)
    except ValueError as error:
        if fields.at(name) not in fields.errors:
            fields.wrong(name, str(error))
        return None


def _check_payload(fields: Fields, run: str, payload: dict[str, Any]) -> None:
    try:
        RUNNABLE[run].check(payload)
        if run in OPERATIONS:
            schemas.check(run, schemas.complete(run, payload))
        elif "campaign" not in payload and not {"definition", "recipients"} <= payload.keys():
            fields.wrong("payload", "needs definition and recipients, or campaign")
    except (PayloadError, schemas.Invalid) as error:
        for path, message in error.errors.items():
            fields.wrong(f"payload.{path}", message)
