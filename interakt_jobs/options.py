"""The options of a call: what each may be, how the ledger takes it, and why some are refused."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

from . import settings
from .ledger.client import JobOptions

Lane = Literal["urgent", "normal", "bulk"]
Repeat = Literal["always", "after_hold", "never"]
LANES, REPEATS = ("urgent", "normal", "bulk"), ("always", "after_hold", "never")

_REFUSED = {
    "link": "use on_done='app.task': it survives a crash, a link does not",
    "link_error": "use on_done='app.task'; the job's state tells which end it came to",
    "chord": "count ends with on_done='app.task'",
    "chain": "the task that on_done names can start what comes next",
    "group_id": "use delay_many",
    "queue": "use lane='urgent', 'normal' or 'bulk'",
    "routing_key": "use lane='urgent', 'normal' or 'bulk'",
    "exchange": "use lane='urgent', 'normal' or 'bulk'",
    "priority": "use lane='urgent', 'normal' or 'bulk'",
    "retry": "use repeat= and max_attempts=; the ledger retries",
    "retry_policy": "use repeat= and max_attempts=; the ledger retries",
    "ignore_result": "results expire by themselves; job.forget() drops one",
    "connection": "use interakt_jobs.configure(redis_url=...)",
    "producer": "use interakt_jobs.configure(redis_url=...)",
    "idempotency_key": "give items of (payload, key)",
    "task_id": "give items of (payload, key)",
}


_MOMENT = re.compile(r"\+?\d{1,15}")
_CODE = re.compile(r"[0-9]{1,9}")


def only_payload(args: Sequence[Any] | None, kwargs: Mapping[str, Any] | None) -> Any:
    """The payload among Celery's ``args`` and ``kwargs``; raises ``TypeError``."""
    if kwargs and set(kwargs) == {"payload"} and not args:
        return kwargs["payload"]
    if kwargs or args is None or isinstance(args, Mapping) or len(args) != 1:
        raise TypeError("give the payload alone: delay(payload) or apply_async((payload,), lane=..., ...)")
    return args[0]


def reject_unsupported(other: Mapping[str, Any]) -> None:
    """Raise ``TypeError`` for an option that would do nothing, unless its value is None."""
    for name, value in other.items():
        if value is None:
            continue
        raise TypeError(
            f"option {name!r} would do nothing here: {_REFUSED.get(name, 'see the options of apply_async')}"
        )


class Defaults(Protocol):
    """What an operation says of its jobs."""

    name: str
    flags: str
    lane: Lane
    repeat: Repeat
    bulk_repeat: Repeat
    expires: float | None


def job_options(
    operation: Defaults,
    lane: Lane | None,
    repeat: Repeat | None,
    expires: float | datetime | None,
    countdown: float | None,
    eta: datetime | None,
    max_attempts: int,
) -> JobOptions:
    """What the call's jobs have in common, with the operation's defaults; raises ``ValueError``."""
    lane = lane or operation.lane
    if lane not in LANES:
        raise ValueError(f"lane must be one of {', '.join(LANES)}")
    repeat = repeat or (operation.bulk_repeat if lane == "bulk" else operation.repeat)
    if repeat not in REPEATS:
        raise ValueError(f"repeat must be one of {', '.join(REPEATS)}")
    if countdown is not None and eta is not None:
        raise ValueError("countdown and eta exclude each other")
    if isinstance(max_attempts, bool) or not isinstance(max_attempts, int) or not 1 <= max_attempts <= 100:
        raise ValueError("max_attempts must be a whole number from 1 to 100")
    return JobOptions(
        operation=operation.name,
        lane=lane,
        not_before=_moment("countdown or eta", eta if countdown is None else countdown),
        expires=_moment("expires", operation.expires if expires is None else expires),
        repeat=repeat,
        max_attempts=max_attempts,
        allow_unregistered=settings.allow_unregistered(),
        flags=operation.flags,
    )


def callback_options(on_done: str | None, queue: str | None, receipts: bool, resend_on: Sequence[int]) -> str:
    """The record's options as JSON, empty when there are none; raises ``ValueError``."""
    if (queue or receipts) and not on_done:
        raise ValueError("on_done_queue and on_receipts need on_done='app.task'")
    chosen: dict[str, Any] = {}
    for name, value in (("on_done", on_done), ("on_done_queue", queue)):
        if value:
            if not isinstance(value, str) or len(value) > 200 or not value.isprintable():
                raise ValueError(f"{name} must be a name of at most 200 printable characters")
            chosen[name] = value
    if receipts:
        chosen["on_receipts"] = True
    if resend_on:
        known = isinstance(resend_on, list | tuple | set | frozenset) and len(resend_on) <= 100
        if not known or not all(map(_is_code, resend_on)):
            raise ValueError(
                "resend_on must be a list of at most 100 of WhatsApp's failure codes, such as [131049]"
            )
        chosen["resend_on"] = [int(code) for code in resend_on]
    return json.dumps(chosen, separators=(",", ":")) if chosen else ""


def _is_code(value: object) -> bool:
    return not isinstance(value, bool) and isinstance(value, int | str) and bool(_CODE.fullmatch(str(value)))


def _moment(name: str, value: float | datetime | None) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        if value.utcoffset() is None:
            raise ValueError(
                f"{name} has no time zone: use datetime.now(UTC) + ..., a zoneinfo.ZoneInfo, or seconds from now"
            )
        found = str(int(value.timestamp() * 1000))
    elif isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{name} must be seconds from now (0 or more) or a datetime")
    else:
        found = f"+{int(value * 1000)}"
    if not _MOMENT.fullmatch(found):
        raise ValueError(
            f"{name} must be a time after 1970, or seconds from now (0 or more, and not for ever)"
        )
    return found
