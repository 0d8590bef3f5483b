"""One operation of the Interakt API as an object with ``.delay()``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from . import settings
from .batch import Accepted, Accepting, Batch, handle
from .check import PayloadError, check, check_size
from .checkers import is_sound, not_sound
from .job import Job
from .ledger.client import NewJob
from .ledger.keys import account_name, mint_job_key, own_key, parse, task_job_key
from .ledger.record import digest, group_of, recipient_of
from .options import Lane, Repeat, callback_options, job_options, only_payload, reject_unsupported

Payload = TypeVar("Payload", bound=Mapping[str, Any])
Kind = Literal["read", "upsert", "send", "rcs", "create", "local"]
# in urgent and normal, and in bulk
_REPEATS: dict[Kind, tuple[Repeat, Repeat]] = {
    "read": ("always", "always"),
    "upsert": ("always", "always"),
    "local": ("always", "always"),
    "send": ("after_hold", "never"),
    "rcs": ("never", "never"),
    "create": ("never", "never"),
}
# what the ledger's scripts know of an operation (records.lua): c a call, r a receipt names the job, p a receipt names the
# provider's id alone, s needs the 24-hour window
_FLAGS: dict[Kind, str] = {"read": "c", "upsert": "c", "create": "c", "send": "cr", "rcs": "cp", "local": ""}
_encode = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False
).encode


class Operation(Generic[Payload]):
    """An operation; ``delay`` and ``apply_async`` accept a job, a worker does the rest.

    ``method`` and ``path`` (under the base URL; trailing slashes matter) are Interakt's, ``query`` names the payload's
    fields that travel in the URL. ``kind`` says what a repeat would do, and so whether an attempt of unknown outcome is
    repeated: ``read`` and ``upsert`` always; ``send`` (WhatsApp) after a hold for its receipt, in bulk never; ``rcs`` and
    ``create`` never; ``local`` is no call of the API. ``needs_session``: only within 24 hours of the person's last message.
    """

    def __init__(
        self,
        name: str,
        payload: type[Payload],
        method: str,
        path: str,
        kind: Kind,
        *,
        query: tuple[str, ...] = (),
        lane: Lane = "normal",
        expires: float | None = None,
        needs_session: bool = False,
    ) -> None:
        self.name, self.payload, self.lane, self.expires = name, payload, lane, expires
        self.method, self.path, self.kind, self.query, self.needs_session = (
            method,
            path,
            kind,
            query,
            needs_session,
        )
        self.repeat, self.bulk_repeat = _REPEATS[kind]
        self.flags = _FLAGS[kind] + ("s" if needs_session else "")

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

        ``args`` is ``(payload,)``. ``countdown`` seconds or ``eta`` (with a time zone) say when it may start; ``expires``
        seconds after that, or a time, when it no longer may. ``lane``, ``account``, ``repeat`` (may an attempt whose
        outcome is unknown be made again) override the operation's own. ``idempotency_key`` (kept as long as
        the job's result, at most 7 days) gives back the first job for the same payload; so does ``task_id``, a UUID or
        what ``new_id`` gave.
        ``on_done`` names a Celery task of yours that is told the job's id, in ``on_done_queue``; with ``on_receipts`` at
        every receipt too. ``resend_on`` lists delivery failure codes that replay the job by themselves.

        Raises ``PayloadError``, ``TypeError`` and ``ValueError`` for what is wrong with the call,
        ``IdempotencyConflict``, ``Unregistered``, ``LedgerFull`` and ``LedgerUnreachable``.
        """
        reject_unsupported(other)
        payload = only_payload(args, kwargs)
        self.check(payload)
        common = job_options(self, lane, repeat, expires, countdown, eta, max_attempts)
        extra = callback_options(on_done, on_done_queue, on_receipts, resend_on)
        job_key = task_job_key(task_id) if task_id else mint_job_key()
        if task_id and task_id.startswith("ij1."):
            own = parse(task_id)[0]
            if account and account != own:
                raise ValueError(f"task_id names the account {own!r}, account= another")
            account = own
        ledger = settings.ledger(account)
        if task_id and idempotency_key is None:
            idempotency_key = own_key(job_key)
        new = self.new_job(payload, job_key, extra, idempotency_key)
        return handle(ledger.account, new, ledger.accept(common, [new])[0])

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
        on_receipts: bool = False,
        resend_on: Sequence[int] = (),
        **other: Any,
    ) -> Iterator[Accepted]:
        """Accept many jobs in constant memory, as they are read: an ``Accepted`` for each item, in order.

        An item is a payload, or ``(payload, idempotency_key)``: with keys the whole call is safe to repeat. An item that
        fails its check, or whose key came with another payload, carries its ``error``; the others go on.
        ``progress(n)`` is called with the number handled, once a ``chunk``. What is wrong with an option is raised at once,
        before anything is read. Nothing is enqueued until the result is looped over: dropped unread, it warns.
        """
        reject_unsupported(other)
        if isinstance(chunk, bool) or not isinstance(chunk, int) or chunk < 1:
            raise ValueError("chunk must be a whole number, 1 or more")
        batch = Batch(
            self,
            job_options(self, lane, repeat, expires, countdown, eta, max_attempts),
            callback_options(on_done, on_done_queue, on_receipts, resend_on),
            account_name(account) if account else None,
        )
        return Accepting(batch.accept_all(payloads, chunk, progress))

    def new_job(self, payload: Payload, job_key: str, options: str = "", key: str | None = None) -> NewJob:
        """The job as the ledger takes it; ``key`` is an idempotency key of 1 to 200 characters."""
        text = _encode(payload)
        check_size(text, settings.max_payload_bytes())
        if not is_sound(text):
            raise PayloadError(dict(not_sound(payload)))
        mark = ""
        if key is not None:
            if not isinstance(key, str) or not 1 <= len(key) <= 200:
                raise ValueError("idempotency_key must be a text of 1 to 200 characters")
            mark = digest(self.name, json.dumps(payload, sort_keys=True, separators=(",", ":")))
        return NewJob(job_key, text, recipient_of(payload), group_of(payload), options, key or "", mark)  # type: ignore[arg-type]
