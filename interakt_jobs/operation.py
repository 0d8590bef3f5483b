"""One operation of the Interakt API as an object with ``.delay()``."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Generic, Literal, TypeVar

from . import settings
from .check import check
from .ids import mint_tail, parse, task_tail
from .job import Job
from .ledger import NewJob, Terms
from .many import Accepted, Batch, handle
from .record import digest, group_of, recipient_of

Payload = TypeVar("Payload", bound=Mapping[str, Any])
Lane = Literal["urgent", "normal", "bulk"]
Repeat = Literal["always", "after_hold", "never"]
LANES, REPEATS = ("urgent", "normal", "bulk"), ("always", "after_hold", "never")
_encode = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False
).encode

_REFUSED = {
    "link": "use on_done='app.task': it survives a crash, a link does not",
    "link_error": "use on_done='app.task'; the job's state tells which end it came to",
    "chord": "count ends with on_done='app.task'",
    "queue": "use lane='urgent', 'normal' or 'bulk'",
    "routing_key": "use lane='urgent', 'normal' or 'bulk'",
    "exchange": "use lane='urgent', 'normal' or 'bulk'",
    "priority": "use lane='urgent', 'normal' or 'bulk'",
    "retry": "use repeat= and max_attempts=; the ledger retries",
    "retry_policy": "use repeat= and max_attempts=; the ledger retries",
    "ignore_result": "results expire by themselves; job.forget() drops one",
    "connection": "use interakt_jobs.configure(redis_url=...)",
    "producer": "use interakt_jobs.configure(redis_url=...)",
}


class Operation(Generic[Payload]):
    """An operation; ``delay`` and ``apply_async`` accept a job, a worker does the rest."""

    def __init__(
        self,
        name: str,
        payload: type[Payload],
        *,
        lane: Lane = "normal",
        repeat: Repeat = "never",
        bulk_repeat: Repeat = "never",
        expires: float | None = None,
    ) -> None:
        self.name, self.payload = name, payload
        self.lane, self.repeat, self.bulk_repeat, self.expires = lane, repeat, bulk_repeat, expires

    def __repr__(self) -> str:
        return f"<Operation interakt.{self.name}>"

    def check(self, payload: Payload) -> None:
        """Check names and JSON types; raises ``PayloadError`` naming each field by its path."""
        check(payload, self.payload, allow_unknown=settings.allow_unknown_fields())

    def delay(self, payload: Payload, **options: Any) -> Job:
        """Accept one job; ``options`` are those of ``apply_async``."""
        return self.apply_async((payload,), **options)

    def apply_async(
        self,
        args: Sequence[Payload] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        *,
        countdown: float | None = None,
        eta: datetime | None = None,
        expires: float | datetime | None = None,
        task_id: str | None = None,
        lane: Lane | None = None,
        account: str | None = None,
        idempotency_key: str | None = None,
        repeat: Repeat | None = None,
        on_done: str | None = None,
        on_done_queue: str | None = None,
        on_receipts: bool = False,
        max_attempts: int = 8,
        resend_on: Sequence[int] = (),
        **other: Any,
    ) -> Job:
        """Accept one job and return it; when this returns, the job is in the ledger.

        ``args`` is ``(payload,)``. ``countdown`` seconds or ``eta`` (aware, or UTC) say when it may start; ``expires``
        seconds after that, or a time, when it no longer may. ``lane``, ``account``, ``repeat`` (may an attempt whose
        outcome is unknown be made again) override the operation's own. ``idempotency_key`` (kept 7 days) gives back the
        first job for the same payload; so does ``task_id``, a UUID or what ``new_id`` gave, whatever the payload.
        ``on_done`` names a Celery task of yours that is told the job's id, in ``on_done_queue``; with ``on_receipts`` at
        every receipt too. ``resend_on`` lists delivery failure codes that replay the job by themselves.

        Raises ``PayloadError``, ``TypeError`` and ``ValueError`` for what is wrong with the call,
        ``IdempotencyConflict``, ``Unregistered``, ``LedgerFull`` and ``LedgerUnreachable``.
        """
        _refuse(other)
        payload = _payload(args, kwargs)
        self.check(payload)
        terms = self._terms(lane, repeat, expires, countdown, eta, max_attempts)
        extra = _options(on_done, on_done_queue, on_receipts, resend_on)
        tail = task_tail(task_id) if task_id else mint_tail()
        if task_id and task_id.startswith("ij1."):
            own = parse(task_id)[0]
            if account and account != own:
                raise ValueError(f"task_id names the account {own!r}, account= another")
            account = own
        ledger = settings.ledger(account)
        new = self.new_job(payload, tail, extra, idempotency_key)
        return handle(ledger.account, new, ledger.accept(terms, [new])[0])

    def delay_many(
        self,
        payloads: Iterable[Payload | tuple[Payload, str]],
        *,
        lane: Lane = "bulk",
        account: str | None = None,
        repeat: Repeat | None = None,
        expires: float | datetime | None = None,
        countdown: float | None = None,
        eta: datetime | None = None,
        max_attempts: int = 8,
        on_done: str | None = None,
        on_done_queue: str | None = None,
        progress: Callable[[int], None] | None = None,
        chunk: int = 500,
    ) -> Iterator[Accepted]:
        """Accept many jobs in constant memory: yields an ``Accepted`` per item, in order.

        An item is a payload, or ``(payload, idempotency_key)``: with keys the whole call is safe to repeat. An item that
        fails its check, or whose key came with another payload, carries its ``error``; the others go on.
        ``progress(n)`` is called with the number handled, once a ``chunk``.
        """
        terms = self._terms(lane, repeat, expires, countdown, eta, max_attempts)
        extra = _options(on_done, on_done_queue, False, ())
        items = iter(payloads)
        done = 0
        while batch := list(islice(items, chunk)):
            yield from Batch(self, terms, extra, account, done).accept(batch)
            done += len(batch)
            if progress is not None:
                progress(done)

    def _terms(
        self,
        lane: Lane | None,
        repeat: Repeat | None,
        expires: float | datetime | None,
        countdown: float | None,
        eta: datetime | None,
        max_attempts: int,
    ) -> Terms:
        lane = lane or self.lane
        if lane not in LANES:
            raise ValueError(f"lane must be one of {', '.join(LANES)}")
        repeat = repeat or (self.bulk_repeat if lane == "bulk" else self.repeat)
        if repeat not in REPEATS:
            raise ValueError(f"repeat must be one of {', '.join(REPEATS)}")
        if countdown is not None and eta is not None:
            raise ValueError("countdown and eta exclude each other")
        if not isinstance(max_attempts, int) or not 1 <= max_attempts <= 100:
            raise ValueError("max_attempts must be a whole number from 1 to 100")
        expires = self.expires if expires is None else expires
        return Terms(
            operation=self.name,
            lane=lane,
            not_before=_moment("countdown or eta", eta if countdown is None else countdown),
            expires=_moment("expires", expires),
            repeat=repeat,
            max_attempts=max_attempts,
            allow_unregistered=settings.allow_unregistered(),
        )

    def new_job(self, payload: Payload, tail: str, options: str = "", key: str | None = None) -> NewJob:
        """The job as the ledger takes it; ``key`` is an idempotency key of 1 to 200 characters."""
        text = _encode(payload)
        mark = ""
        if key is not None:
            if not isinstance(key, str) or not 1 <= len(key) <= 200:
                raise ValueError("idempotency_key must be a text of 1 to 200 characters")
            mark = digest(self.name, json.dumps(payload, sort_keys=True, separators=(",", ":")))
        return NewJob(tail, text, recipient_of(payload), group_of(payload), options, key or "", mark)  # type: ignore[arg-type]


def _payload(args: Sequence[Any] | None, kwargs: Mapping[str, Any] | None) -> Any:
    if kwargs and set(kwargs) == {"payload"} and not args:
        return kwargs["payload"]
    if kwargs or args is None or isinstance(args, Mapping) or len(args) != 1:
        raise TypeError("give the payload alone: delay(payload) or apply_async((payload,), lane=..., ...)")
    return args[0]


def _refuse(other: Mapping[str, Any]) -> None:
    for name, value in other.items():
        if value is None:
            continue
        raise TypeError(
            f"option {name!r} would do nothing here: {_REFUSED.get(name, 'see the options of apply_async')}"
        )


def _options(on_done: str | None, queue: str | None, receipts: bool, resend_on: Sequence[int]) -> str:
    if (queue or receipts) and not on_done:
        raise ValueError("on_done_queue and on_receipts need on_done='app.task'")
    chosen: dict[str, Any] = {}
    if on_done:
        chosen["on_done"] = on_done
    if queue:
        chosen["on_done_queue"] = queue
    if receipts:
        chosen["on_receipts"] = True
    if resend_on:
        chosen["resend_on"] = [int(code) for code in resend_on]
    return json.dumps(chosen, separators=(",", ":")) if chosen else ""


def _moment(name: str, value: float | datetime | None) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return str(int(aware.timestamp() * 1000))
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise ValueError(f"{name} must be seconds from now (0 or more) or a datetime")
    return f"+{int(value * 1000)}"
