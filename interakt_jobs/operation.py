"""One operation of the Interakt API as an object with ``.delay()``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar, Unpack

from . import settings
from .batch import Accepted, Accepting, Batch
from .check import check, check_size, is_sound, not_sound
from .errors import PayloadError
from .job import Job
from .ledger.client import JobOptions, NewJob
from .ledger.constants import LANES, Lane
from .ledger.keys import account_name, mint_job_key, own_key, parse, task_job_key
from .ledger.record import digest, group_of, recipient_of
from .options import (
    REPEATS,
    ManyOptions,
    Options,
    Repeat,
    callback_options,
    moment,
    one_of,
    only_payload,
    reject_unsupported,
    whole_number,
)

Payload = TypeVar("Payload", bound=Mapping[str, Any])
Kind = Literal["read", "upsert", "send", "rcs", "create", "local"]
# The flags of a kind's records (records.lua explains the letters); its repeat in urgent and normal, and in bulk.
_KINDS: dict[Kind, tuple[str, Repeat, Repeat]] = {
    "read": ("c", "always", "always"),
    "upsert": ("c", "always", "always"),
    "local": ("", "always", "always"),
    "send": ("cr", "after_hold", "never"),
    "rcs": ("cp", "never", "never"),
    "create": ("c", "never", "never"),
}
_encode = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False
).encode


@dataclass(frozen=True, eq=False, repr=False)
class Operation(Generic[Payload]):
    """An operation; ``delay`` and ``apply_async`` accept a job, a worker does the rest.

    ``method`` and ``path`` (under the base URL; trailing slashes matter) are Interakt's, ``query`` names the payload's
    fields that travel in the URL. ``kind`` says what a repeat would do, and so whether an attempt of unknown outcome is
    repeated: ``read`` and ``upsert`` always; ``send`` (WhatsApp) after a hold for its receipt, in bulk never; ``rcs`` and
    ``create`` never; ``local`` is no call of the API. ``needs_session``: only within 24 hours of the person's last message.
    """

    name: str
    payload: type[Payload]
    method: str
    path: str
    kind: Kind
    query: tuple[str, ...] = ()
    lane: Lane = "normal"
    expires: float | None = None
    needs_session: bool = False

    def __repr__(self) -> str:
        return f"<Operation interakt.{self.name}>"

    @property
    def flags(self) -> str:
        """The flags of its records."""
        return _KINDS[self.kind][0] + ("s" if self.needs_session else "")

    def check(self, payload: Payload) -> None:
        """Check names and JSON types; raises ``PayloadError`` naming each field by its path."""
        check(payload, self.payload, allow_unknown=settings.current.allow_unknown_fields)

    def delay(self, payload: Payload, **options: Unpack[Options]) -> Job:
        """Accept one job; ``options`` are those of ``apply_async``."""
        return self.apply_async((payload,), **options)

    def apply_async(
        self,
        args: Sequence[Payload] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[Options],
    ) -> Job:
        """Accept one job and return it; when this returns, the job is in the ledger.

        ``args`` is ``(payload,)``. ``countdown`` seconds or ``eta`` (with a time zone) say when it may start; ``expires``
        seconds after that, or a time, when it no longer may. ``lane``, ``account``, ``repeat`` (may an attempt whose
        outcome is unknown be made again) override the operation's own. ``max_attempts`` is 8 by default.
        ``idempotency_key`` (kept as long as the job's result, at most 7 days) gives back the first job for the same
        payload; so does ``task_id``, a UUID or what ``new_id`` gave.
        ``on_done`` names a Celery task of yours that gets the job's id at its end, in ``on_done_queue``; with
        ``on_receipts`` at every receipt too. ``resend_on`` lists delivery failure codes that replay the job by themselves.

        Raises ``PayloadError``, ``TypeError`` and ``ValueError`` for what is wrong with the call,
        ``IdempotencyConflict``, ``Unregistered``, ``LedgerFull`` and ``LedgerUnreachable``.
        """
        reject_unsupported(options, Options)
        payload = only_payload(args, kwargs)
        self.check(payload)
        common, own = self._common(options), callback_options(options)
        task_id, account, key = options.get("task_id"), options.get("account"), options.get("idempotency_key")
        job_key = task_job_key(task_id) if task_id else mint_job_key()
        if task_id and task_id.startswith("ij1."):
            named = parse(task_id)[0]
            if account and account != named:
                raise ValueError(f"task_id names the account {named!r}, account= another")
            account = named
        if task_id and key is None:
            key = own_key(job_key)
        ledger = settings.ledger(account)
        new = self.new_job(payload, job_key, own, key)
        return Job.accepted(ledger.account, job_key, ledger.accept(common, [new])[0])

    def delay_many(
        self,
        payloads: Iterable[Payload | tuple[Payload, str]],
        *,
        progress: Callable[[int], None] | None = None,
        chunk: int = 500,
        **options: Unpack[ManyOptions],
    ) -> Iterator[Accepted]:
        """Accept many jobs in constant memory, as they are read: an ``Accepted`` for each item, in order.

        An item is a payload, or ``(payload, idempotency_key)``: with keys the whole call is safe to repeat. An item that
        fails its check, or whose key came with another payload, carries its ``error``; the others go on.
        ``progress(n)`` is called with the number handled, once a ``chunk``. The other options are those of
        ``apply_async``; ``lane`` is ``bulk`` unless given. What is wrong with an option is raised at once,
        before anything is read. Nothing is enqueued until the result is looped over: dropped unread, it warns.
        """
        reject_unsupported(options, ManyOptions)
        whole_number("chunk", chunk)
        options.setdefault("lane", "bulk")
        common, own, account = self._common(options), callback_options(options), options.get("account")

        def checked(payload: Payload, key: str | None) -> NewJob:
            self.check(payload)
            return self.new_job(payload, mint_job_key(), own, key)

        batch = Batch(checked, common, account_name(account) if account else None)
        return Accepting(batch.accept_all(payloads, chunk, progress))

    def _common(self, options: ManyOptions) -> JobOptions:
        """What the call's jobs have in common, with the operation's defaults; raises ``ValueError``."""
        lane = one_of("lane", options.get("lane") or self.lane, LANES)
        repeat = options.get("repeat") or _KINDS[self.kind][2 if lane == "bulk" else 1]
        countdown, eta, expires = options.get("countdown"), options.get("eta"), options.get("expires")
        if countdown is not None and eta is not None:
            raise ValueError("countdown and eta exclude each other")
        return JobOptions(
            operation=self.name,
            lane=lane,
            not_before=moment("countdown or eta", eta if countdown is None else countdown),
            expires=moment("expires", self.expires if expires is None else expires),
            repeat=one_of("repeat", repeat, REPEATS),
            max_attempts=whole_number("max_attempts", options.get("max_attempts", 8), 100),
            allow_unregistered=settings.current.allow_unregistered,
            flags=self.flags,
        )

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
