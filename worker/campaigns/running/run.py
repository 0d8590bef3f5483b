"""A ``run_campaign`` job's way through a worker: no permit and no call, and an outcome like any other's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from interakt_jobs.errors import LedgerFull
from interakt_jobs.ledger.record import Record
from worker.campaigns.errors import CampaignError, NoSuchCampaign, PlanTaken
from worker.delivery.outcomes import Attempt
from worker.ledger.work_ledger import WorkLedger

from .run_campaign import run_campaign

AGAIN_MS = 5000


class RunCampaign:
    """Carries such jobs out; ``folder`` is where their files may be."""

    def __init__(self, attempt: Attempt, folder: str | None) -> None:
        self._attempt, self._folder = attempt, folder

    def __call__(self, ledger: WorkLedger, job_key: str, record: Record) -> Sequence[Any]:
        try:
            payload = json.loads(record.payload)
        except (ValueError, RecursionError):
            return self._attempt.dead("invalid_payload", "the payload cannot be read", None)
        if not isinstance(payload, dict):
            return self._attempt.dead("invalid_payload", "must be an object", None)
        try:
            made = run_campaign(ledger.link, ledger.account, job_key, payload, self._folder)
        except (CampaignError, NoSuchCampaign) as error:
            return self._attempt.dead("invalid_payload", str(error), None)
        except (PlanTaken, LedgerFull, OSError) as error:
            entry = json.dumps({"outcome": "unavailable", "error": type(error).__name__})
            return ("retry", AGAIN_MS, f"cannot be planned now: {type(error).__name__}", entry)
        except (ValueError, TypeError, RecursionError) as error:
            return self._attempt.dead(
                "invalid_payload", f"it cannot be planned: {type(error).__name__}", None
            )
        return ("done", made["campaign"], "", made["status"], self._attempt.keep, "0", json.dumps(made))
