"""From a job's payload to the request's body, or to the outcome of a payload that cannot be sent."""

from __future__ import annotations

import json
import logging
from collections.abc import Container, Sequence
from typing import Any

import schemas
from interakt_jobs import PayloadError
from interakt_jobs import settings as producer_settings
from interakt_jobs.check import check_size
from interakt_jobs.ledger.keys import job_id
from interakt_jobs.ledger.record import Record, phone_of
from interakt_jobs.recipient import earlier_hashes, recipient_hash
from worker.interakt import correlation
from worker.interakt.client import Client, Prepared
from worker.interakt.errors import InteraktError
from worker.ledger.work_ledger import Work, WorkLedger

from .attempt import Attempt
from .outcomes import Outcome, dead

log = logging.getLogger(__name__)
MOST_ADVICE = 1000


class Requests:
    """Checks the payloads of one account and makes requests of them. ``local`` are the operations that make no call."""

    def __init__(
        self, ledger: WorkLedger, client: Client, attempt: Attempt, allow_unknown: bool, local: Container[str]
    ) -> None:
        self.ledger, self.client, self.attempt = ledger, client, attempt
        self.allow_unknown, self.local = allow_unknown, local
        self._advised: set[tuple[str, str]] = set()

    def prepare(self, work: Work, record: Record) -> Prepared | Outcome:
        """The request's body, empty for a local operation, or how a payload that cannot be sent is settled."""
        operation = record.operation
        try:
            check_size(record.payload, producer_settings.max_payload_bytes())
            if operation in self.local:
                return Prepared()
            payload = schemas.complete(operation, json.loads(record.payload.encode()))
            self._advise(work, operation, schemas.check(operation, payload, allow_unknown=self.allow_unknown))
            if record.lane == "bulk" and self._opted_out_earlier(payload):
                return dead("opted_out", "the recipient has opted out")
            identity = job_id(self.ledger.account, work.job_key)
            return self.client.prepare(operation, correlation.address(operation, payload, identity))
        except InteraktError as error:  # a file to upload cannot be had
            return self.attempt.failed(error, work.attempts + 1)
        except (schemas.Invalid, PayloadError) as error:
            return dead("invalid_payload", str(error))
        except KeyError:
            return dead("unknown_operation", f"this worker knows no operation {operation[:40]!r}")
        except (ValueError, TypeError, RecursionError) as error:
            return dead("invalid_payload", f"the payload cannot be read: {type(error).__name__}")

    def _opted_out_earlier(self, payload: dict[str, Any]) -> bool:
        """Whether this person is on the list by another form of the number than the one that made the job's hash.

        Releases that knew one form alone kept people so; and an application that is older than the worker still asks so.
        """
        digits = phone_of(payload)
        hashes = earlier_hashes(digits)
        return bool(hashes) and 1 in self.ledger.link.command(
            "SMISMEMBER", f"{self.ledger.prefix}optout", recipient_hash(digits), *hashes
        )

    def _advise(self, work: Work, operation: str, warnings: Sequence[str]) -> None:
        """Log what WhatsApp is likely to refuse, each warning once a process: the jobs of a campaign all have the same."""
        for warning in warnings:
            if (operation, warning) in self._advised or len(self._advised) >= MOST_ADVICE:
                continue
            self._advised.add((operation, warning))
            identity = job_id(self.ledger.account, work.job_key)
            extra = {"action": "payload_warning", "job": identity, "operation": operation}
            log.warning(warning, extra=extra)
