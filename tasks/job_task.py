"""The base of every task: enqueuing goes to the ledger, and a message that came by name is accepted on receipt."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import json
import logging
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from celery import Task

from interakt_jobs import OPERATIONS, Job, JobError, LedgerFull, LedgerUnreachable, PayloadError, settings
from interakt_jobs.operation import Operation
from interakt_jobs.options import single

log = logging.getLogger(__name__)
OPTIONS = frozenset(
    [
        "countdown",
        "eta",
        "expires",
        "lane",
        "account",
        "idempotency_key",
        "repeat",
        "on_done",
        "on_done_queue",
        "on_receipts",
        "max_attempts",
        "resend_on",
    ]
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
        warnings = schemas.check(
            self.operation,
            schemas.complete(self.operation, payload),
            allow_unknown=settings.allow_unknown_fields(),
        )
        for warning in warnings:
            log.warning("%s: %s", self.name, warning)

    def delay(self, payload: Any, **options: Any) -> Job:
        return self.apply_async((payload,), **options)

    def apply_async(
        self, args: Sequence[Any] | None = None, kwargs: dict[str, Any] | None = None, **options: Any
    ) -> Job:
        self.check(single(args, kwargs))
        return self._operation.apply_async(args, kwargs, **options)

    def delay_many(self, payloads: Any, **options: Any) -> Any:
        """As ``Operation.delay_many``; each item is checked by marshmallow in the worker."""
        return self._operation.delay_many(payloads, **options)

    def accept(self, payload: Any, options: dict[str, Any]) -> str | None:
        """Take in a message that another Celery or language published by name; its task id gives the job's id.

        The promise starts here. While Redis is away it is tried again for a minute; what cannot be accepted is kept
        among the poison messages with its reason.
        """
        for name in ("eta", "expires"):
            if moment := options.pop("_" + name, None):
                options.setdefault(name, datetime.fromisoformat(moment))
        for attempt in range(30):
            try:
                self._refuse_unknown(options)
                return str(self._operation.apply_async((payload,), task_id=self.request.id, **options).id)
            except (LedgerUnreachable, LedgerFull):
                time.sleep(min(5.0, 0.2 * 2**attempt))
            except (ValueError, TypeError, JobError) as error:
                self.refused(payload, error)
                return None
        self.refused(payload, LedgerUnreachable("Redis was away for too long"))
        return None

    @staticmethod
    def _refuse_unknown(options: dict[str, Any]) -> None:
        if unknown := sorted(set(options) - OPTIONS):
            raise PayloadError({f"option {name[:40]}": "unknown option" for name in unknown})

    def refused(self, payload: Any, error: Exception) -> None:
        """Keep a message that could not be accepted."""
        raw = json.dumps({"task": self.name, "id": self.request.id, "payload": payload}, default=str)[:65536]
        log.error(
            "message refused",
            extra={"action": "intake_refused", "error": str(error)[:300], "task": self.name},
        )
        with contextlib.suppress(JobError):
            settings.link().command(
                "XADD", "ij1:poison", "MAXLEN", "~", 10000, "*", "queue", "intake", "reason", str(error)[:300],
                "bytes", len(raw), "sha256", hashlib.sha256(raw.encode()).hexdigest(), "raw", raw,
            )  # fmt: skip
