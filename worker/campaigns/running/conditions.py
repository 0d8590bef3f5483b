"""What keeps a running campaign from being sent: too many failures, a paused account or template, no registration yet.

A campaign is registered at Interakt by one ``create_campaign`` job, before the first message (document 5.1). The job's id is
made of the campaign's, so however often it is asked for there is one call. Its ``campaignId`` goes with every message:
Interakt's dashboard counts them by it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from interakt_jobs import OPERATIONS
from interakt_jobs.errors import NoSuchJob
from interakt_jobs.ledger.client import JobOptions, Ledger, NewJob
from worker.campaigns.definition.definition import Definition
from worker.campaigns.definition.rules import Stop

from .progress import finished

HELD = "held"
FAILED = ("failed", "dead", "unknown", HELD)  # of those held few are left where receipts come
NOT_TRIED = ("skipped", "cancelled")


def too_many(stops: Sequence[Stop], counts: Mapping[str, int], base: Mapping[str, int]) -> str:
    """Which rule stops the campaign, in words, or an empty text; the counts in ``base`` are left out."""
    since = {name: max(0, counts.get(name, 0) - base.get(name, 0)) for name in {*counts, *base}}
    tried = finished(since) + since.get(HELD, 0) - sum(since.get(state, 0) for state in NOT_TRIED)
    for stop in stops:
        failed = sum(since.get(f"{state}|{stop.reason}" if stop.reason else state, 0) for state in FAILED)
        if failed >= stop.count and failed >= stop.share * tried:
            named = f" ({stop.reason})" if stop.reason else ""
            return f"{failed} of {tried} failed{named}"
    return ""


def paused_account(state: Sequence[bytes | None], now_ms: float) -> str:
    """Why the account is paused, of its ``paused_until``, ``why`` and ``by_hand``; empty when it is not.

    A throttled account, and one whose provider is unavailable, goes on by itself: no reason to stop a campaign.
    """
    until, why, by_hand = (value.decode() if value else "" for value in state)
    if float(until or 0) <= now_ms:
        return ""
    serious = by_hand == "1" or why.startswith(("account", "deployment"))
    return f"the account is paused: {why}" if serious else ""


def paused_template(group: bytes | None, now_ms: float) -> str:
    """Why the template is paused, of the ledger's ``until|how often|why``; empty when it is not."""
    if not group:
        return ""
    until, _, rest = group.decode(errors="replace").partition("|")
    return f"the template is paused: {rest.partition('|')[2]}" if float(until) > now_ms else ""


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
