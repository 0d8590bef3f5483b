"""The options of a call: what each may be, how the ledger takes it, and why some are refused."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypedDict, get_args

from .ledger.constants import Lane

Repeat = Literal["always", "after_hold", "never"]
REPEATS = get_args(Repeat)


class ManyOptions(TypedDict, total=False):
    """The options of ``delay_many``, described at ``Operation.apply_async``."""

    countdown: float | None
    eta: datetime | None
    expires: float | datetime | None
    lane: Lane | None
    account: str | None
    repeat: Repeat | None
    on_done: str | None
    on_done_queue: str | None
    on_receipts: bool
    max_attempts: int
    resend_on: Sequence[int]


class Options(ManyOptions, total=False):
    """The options of one job."""

    task_id: str | None
    idempotency_key: str | None


_REFUSED = {
    "link": "use on_done='app.task': it survives a crash, a link does not",
    "link_error": "use on_done='app.task'; it gets the job's state",
    "chord": "count ends with on_done='app.task'",
    "chain": "the task that on_done names can start what comes next",
    "group_id": "use delay_many",
    "ignore_result": "results expire by themselves; job.forget() drops one",
    **dict.fromkeys(
        ("queue", "routing_key", "exchange", "priority"), "use lane='urgent', 'normal' or 'bulk'"
    ),
    **dict.fromkeys(("retry", "retry_policy"), "use repeat= and max_attempts=; the ledger retries"),
    **dict.fromkeys(("connection", "producer"), "use interakt_jobs.configure(redis_url=...)"),
    **dict.fromkeys(("idempotency_key", "task_id"), "give items of (payload, key)"),
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


def reject_unsupported(options: Mapping[str, object], known: type[ManyOptions]) -> None:
    """Raise ``TypeError`` for an option that would do nothing, unless its value is None."""
    for name, value in options.items():
        if value is not None and name not in known.__annotations__:
            why = _REFUSED.get(name, "see the options of apply_async")
            raise TypeError(f"option {name!r} would do nothing here: {why}")


def one_of(name: str, value: str, known: tuple[str, ...]) -> str:
    """The value; raises ``ValueError`` when it is not among ``known``."""
    if value not in known:
        raise ValueError(f"{name} must be one of {', '.join(known)}")
    return value


def whole_number(name: str, value: object, most: int | None = None) -> int:
    """The value; raises ``ValueError`` when it is not a whole number from 1 to ``most``."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1 or (most and value > most):
        raise ValueError(f"{name} must be a whole number" + (f" from 1 to {most}" if most else ", 1 or more"))
    return value


def callback_options(options: ManyOptions) -> str:
    """The record's options as JSON, empty when there are none; raises ``ValueError``."""
    on_done, queue = options.get("on_done"), options.get("on_done_queue")
    receipts, resend_on = options.get("on_receipts"), options.get("resend_on")
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


def moment(name: str, value: float | datetime | None) -> str:
    """A time as accept.lua takes it: ``"+<ms>"`` from now, ``"<ms>"`` since the epoch, or empty; raises ``ValueError``."""
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
