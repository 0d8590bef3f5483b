"""What a receipt means for a job: settle what is unknown, record how far the message came, replay if the job asked."""

from __future__ import annotations

import logging
from typing import NamedTuple

from interakt_jobs.event import RANKS
from interakt_jobs.ledger.keys import parse
from schemas.event import Event
from worker.interakt.correlation import open_callback
from worker.interakt.failure_codes import explain
from worker.ledger.dead_letters import DeadLetters
from worker.ledger.work_ledger import WorkLedger, load
from worker.telemetry.rate_limited_log import RateLimitedLog

log = logging.getLogger(__name__)
RECEIPT = load("receipt")
MOST_RESENDS, RESEND_SECONDS = 3, 3600.0
_seldom = RateLimitedLog()


class Applied(NamedTuple):
    """``job`` is settled, known or missing; ``delivery`` is new, old (a lower rank, or a repeat), none or resend."""

    job: str
    delivery: str


def apply_receipt(
    ledger: WorkLedger, job_key: str, kind: str, *, at_ms: int, code: str = "", provider_id: str = ""
) -> Applied:
    """Apply one receipt by our id; ``kind`` is a key of ``RANKS``. Safe to repeat, in any order."""
    answer = ledger.link.run(
        RECEIPT, [ledger.prefix], job_key, kind, RANKS[kind], at_ms, code[:20], provider_id[:80]
    )
    return Applied(answer[0].decode(), answer[1].decode())


def handle_receipt(ledger: WorkLedger, event: Event, at_ms: int) -> None:
    """Apply a receipt to the job that it names, and send again what its sender asked to be sent again."""
    job_key = _job(ledger, event)
    if job_key is None or event.status not in RANKS:
        ledger.link.command("HINCRBY", f"{ledger.prefix}count", "receipt|of_nobody", 1)
        return
    applied = apply_receipt(
        ledger, job_key, event.status, at_ms=at_ms, code=event.code, provider_id=event.provider_id
    )
    if applied.job == "settled":
        extra = {"action": "settled_by_receipt", "account": ledger.account, "job_key": job_key}
        log.info("settled by a receipt", extra=extra)
    if applied.delivery == "resend" and explain(event.code).transient:
        _resend(ledger, job_key)


def _resend(ledger: WorkLedger, job_key: str) -> None:
    if int(ledger.link.command("GET", f"{ledger.prefix}replays:{job_key}") or 0) < MOST_RESENDS:
        DeadLetters(ledger, who="resend_on").replay(job_key, delay=RESEND_SECONDS)


def _job(ledger: WorkLedger, event: Event) -> str | None:
    """The job that a receipt names, if it is the account's: what one account signs says nothing of another's."""
    identity, _ = open_callback(event.callback_data)
    if not identity:
        if not event.provider_id:
            return None
        found = ledger.link.command("GET", f"{ledger.prefix}pid:{event.provider_id[:80]}")
        return found.decode() if found else None
    try:
        account, job_key = parse(identity)
    except ValueError:
        return None
    if account == ledger.account:
        return job_key
    if _seldom(f"foreign {ledger.account}"):
        log.warning(
            "a receipt of one account names a job of another: does each have its own webhook URL and secret?",
            extra={"action": "receipt_of_another_account", "account": ledger.account},
        )
    return None
