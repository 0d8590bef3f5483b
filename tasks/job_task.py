"""The base of every task: enqueuing goes to the ledger, and a message that came by name is accepted on receipt."""

from __future__ import annotations

import hashlib
import importlib
import json
import logging
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from celery import Task

import interakt_jobs
from interakt_jobs import (
    Job,
    JobError,
    LedgerFull,
    LedgerUnreachable,
    PayloadError,
    Unregistered,
    settings,
)
from interakt_jobs.ledger.keys import LATER, POISON
from interakt_jobs.ledger.scripts import load
from interakt_jobs.operation import Operation
from interakt_jobs.options import Options, only_payload

from .app import app

log = logging.getLogger(__name__)
PUSH = load("push")
AWAY_SECONDS = 60.0
served: set[str] = set()  # the accounts of this worker
OPTIONS = frozenset(Options.__annotations__) - {"task_id"}


class JobTask(Task):  # type: ignore[misc]
    """A task whose ``delay`` and ``apply_async`` accept a job, checked by marshmallow first.

    ``operation`` names an object of ``interakt_jobs``; raises ``schemas.Invalid`` before anything is enqueued.
    """

    operation = ""
    ignore_result = True
    acks_late = False
    typing = False

    @property
    def _operation(self) -> Operation[Any]:
        found: Operation[Any] = getattr(interakt_jobs, self.operation)
        return found

    def check(self, payload: Any) -> None:
        """Check types, limits and cross-field rules; raises ``PayloadError`` or ``schemas.Invalid``."""
        self._operation.check(payload)
        if self._operation.kind == "local":
            return  # no call of Interakt's API: the worker checks the rest when it carries it out
        schemas = importlib.import_module("schemas")
        warnings = schemas.check(
            self.operation,
            schemas.complete(self.operation, payload),
            allow_unknown=settings.current.allow_unknown_fields,
        )
        for warning in warnings:
            log.warning("%s: %s", self.name, warning)

    def delay(self, payload: Any, **options: Any) -> Job:
        return self.apply_async((payload,), **options)

    def apply_async(
        self, args: Sequence[Any] | None = None, kwargs: dict[str, Any] | None = None, **options: Any
    ) -> Job:
        self.check(only_payload(args, kwargs))
        return self._operation.apply_async(args, kwargs, **options)

    def delay_many(self, payloads: Any, **options: Any) -> Any:
        """As ``Operation.delay_many``; each item is checked by marshmallow in the worker."""
        return self._operation.delay_many(payloads, **options)

    def accept(self, args: Sequence[Any], kwargs: dict[str, Any]) -> str | None:
        """Take in a message that another Celery or language published by name; its task id gives the job's id.

        The promise starts here. While Redis is full the message waits in Redis, in no thread; what cannot be accepted is
        kept among the poison messages with its reason.
        """
        try:
            payload, options = _read(args, kwargs)
            return str(self._operation.apply_async((payload,), task_id=self.request.id, **options).id)
        except (LedgerUnreachable, LedgerFull) as error:
            self._put_off(args, kwargs, error)
        except Unregistered as error:
            # of an account that this worker serves: Redis has lost its data, and the worker is about to register anew
            (self._put_off if error.account in served else self.refused)(args, kwargs, error)
        except Exception as error:  # noqa: BLE001  whatever it holds, it must not be lost
            self.refused(args, kwargs, error)
        return None

    def _put_off(self, args: Sequence[Any], kwargs: dict[str, Any], why: JobError) -> None:
        """Keep the message where the worker's chores put it back on its queue from; Redis being away is waited out."""
        from celery.worker import state

        raw = self._message(args, kwargs)
        until = time.monotonic() + AWAY_SECONDS
        while True:
            try:
                settings.link().run(PUSH, [LATER], raw)
            except JobError:
                # at a stop nothing can be kept while Redis is away: the last try is the last thing that is done
                if time.monotonic() > until or state.should_stop not in (None, False):
                    extra = {"action": "intake_lost", "task": self.name, "job": self.request.id}
                    log.critical("message lost: Redis is away", extra=extra)
                    return
                time.sleep(0.5)
            else:
                extra = {"action": "intake_put_off", "task": self.name, "error": type(why).__name__}
                log.warning("message put off", extra=extra)
                return

    def _message(self, args: Sequence[Any], kwargs: dict[str, Any]) -> str:
        return json.dumps({"task": self.name, "id": self.request.id, "args": list(args), "kwargs": kwargs})

    def refused(self, args: Sequence[Any], kwargs: dict[str, Any], error: Exception) -> None:
        """Keep a message that could not be accepted."""
        raw = self._message(args, kwargs)[:65536]
        ours = isinstance(error, JobError | ValueError | TypeError)
        text = str(error)[:300].encode("utf-8", "backslashreplace").decode() if ours else type(error).__name__
        log.error("message refused", extra={"action": "intake_refused", "error": text, "task": self.name})
        try:
            settings.link().command(
                "XADD", POISON, "MAXLEN", "~", 10000, "*", "queue", "intake", "reason", text,
                "bytes", len(raw), "sha256", hashlib.sha256(raw.encode()).hexdigest(), "raw", raw,
            )  # fmt: skip
        except JobError as away:
            self._put_off(args, kwargs, away)


def task(name: str, description: str) -> JobTask:
    """Declare the task of an operation, ``interakt.<operation>``, on our app."""

    def run(self: JobTask, /, *args: Any, **kwargs: Any) -> str | None:
        return self.accept(args, kwargs)

    run.__name__ = operation = name.removeprefix("interakt.")
    run.__doc__ = description
    declared: JobTask = app.task(bind=True, base=JobTask, name=name, operation=operation)(run)
    return declared


def _read(args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The payload and the options of a message; raises ``PayloadError``, ``TypeError`` and ``ValueError``."""
    options = dict(kwargs)
    payload = only_payload(args, {"payload": options.pop("payload")} if "payload" in options else None)
    for name in ("eta", "expires"):
        moment = options.pop("_" + name, None)
        if moment is not None:
            try:
                found = datetime.fromisoformat(moment)
                # Celery's protocol: without an offset it is UTC
                options.setdefault(name, found if found.tzinfo else found.replace(tzinfo=UTC))
            except (TypeError, ValueError):
                raise PayloadError(
                    {name: "is no time: use ISO 8601, such as 2030-01-01T10:00:00+00:00"}
                ) from None
    if unknown := sorted(set(options) - OPTIONS):
        raise PayloadError({f"option {name[:40]}": "unknown option" for name in unknown})
    return payload, options
