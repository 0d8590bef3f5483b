"""What a receipt means for a job: settle what is unknown, record how far the message came, replay if the job asked."""

from __future__ import annotations

from typing import NamedTuple

from interakt_jobs.event import RANKS
from worker.ledger.work_ledger import WorkLedger, load

RECEIPT = load("receipt")


class Applied(NamedTuple):
    """``job`` is settled, known or missing; ``delivery`` is new, old (a lower rank, or a repeat), none or resend."""

    job: str
    delivery: str


def apply_receipt(
    ledger: WorkLedger,
    job_key: str,
    kind: str,
    *,
    at_ms: int,
    code: str = "",
    provider_id: str = "",
) -> Applied:
    """Apply one receipt by our id; ``kind`` is a key of ``RANKS``. Safe to repeat, in any order."""
    answer = ledger.link.run(
        RECEIPT,
        [ledger.prefix],
        job_key,
        kind,
        RANKS[kind],
        at_ms,
        code[:20],
        provider_id[:80],
    )
    return Applied(answer[0].decode(), answer[1].decode())
