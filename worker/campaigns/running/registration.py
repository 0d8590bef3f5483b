"""A campaign's registration at Interakt: one ``create_campaign`` job, before the first message (document 5.1).

The job's id is made of the campaign's, so however often it is asked for there is one call. Its ``campaignId`` goes with
every message, so that Interakt's dashboard counts them.
"""

from __future__ import annotations

import json

from interakt_jobs import OPERATIONS
from interakt_jobs.errors import NoSuchJob
from interakt_jobs.ledger.client import JobOptions, Ledger, NewJob
from worker.campaigns.definition.definition import Definition


class NotRegistered(Exception):
    """Raised when Interakt refuses; the text says why."""


def registered(ledger: Ledger, campaign: str, definition: Definition, attempt: int) -> str:
    """Interakt's id of the campaign; empty while its job is under way. Raises ``NotRegistered``."""
    job_key = f"registration-{campaign}-{attempt}"
    try:
        reading = ledger.read(job_key)
    except NoSuchJob:
        payload = {
            "campaign_name": f"{definition.name} {campaign}",
            "campaign_type": "PublicAPI",
            "template_name": definition.template.name,
            "language_code": definition.template.language,
        }
        terms = JobOptions(
            "create_campaign", "normal", allow_unregistered=True, flags=OPERATIONS["create_campaign"].flags
        )
        ledger.accept(terms, [NewJob(job_key, json.dumps(payload, ensure_ascii=False))])
        return ""
    if reading.state == "done" and reading.provider_id:
        return reading.provider_id
    if reading.state in ("done", "dead", "cancelled"):
        why = reading.error or reading.reason or "it gave no campaignId"
        raise NotRegistered(f"not registered at Interakt: {why[:200]}")
    return ""
