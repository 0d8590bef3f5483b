"""The base of every task: enqueuing goes to the ledger, and a message that came by name is accepted on receipt."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from celery import Task

from interakt_jobs import OPERATIONS, Job, PayloadError
from interakt_jobs.operation import Operation

OPTIONS = frozenset(
    "countdown eta expires lane account idempotency_key repeat on_done on_done_queue on_receipts max_attempts resend_on".split()
)


class JobTask(Task):  # type: ignore[misc]
    """A task whose ``delay`` and ``apply_async`` accept a job, checked by marshmallow first.

    ``operation`` names the entry of ``interakt_jobs.OPERATIONS``; raises ``schemas.Invalid`` before anything is enqueued.
    """

    operation = ""
    ignore_result = True
    acks_late = False
    typing = False

    @property
    def _operation(self) -> Operation[Any]:
        return OPERATIONS[self.operation]

    def check(self, payload: Any) -> None:
        """Check types, limits and cross-field rules; raises ``PayloadError`` or ``schemas.Invalid``."""
        self._operation.check(payload)
        schemas = importlib.import_module("schemas")
        schemas.check(self.operation, schemas.complete(self.operation, payload))

    def delay(self, payload: Any, **options: Any) -> Job:
        return self.apply_async((payload,), **options)

    def apply_async(
        self, args: Sequence[Any] | None = None, kwargs: dict[str, Any] | None = None, **options: Any
    ) -> Job:
        if args and not kwargs:
            self.check(args[0])
        return self._operation.apply_async(args, kwargs, **options)

    def delay_many(self, payloads: Any, **options: Any) -> Any:
        """As ``Operation.delay_many``; each item is checked by marshmallow in the worker."""
        return self._operation.delay_many(payloads, **options)

    def accept(self, payload: Any, options: dict[str, Any]) -> str:
        """Take in a message that another Celery or language published by name; its task id gives the job's id."""
        unknown = sorted(set(options) - OPTIONS)
        if unknown:
            raise PayloadError({f"option {name[:40]}": "unknown option" for name in unknown})
        job = self._operation.apply_async((payload,), task_id=self.request.id, **options)
        return str(job.id)
