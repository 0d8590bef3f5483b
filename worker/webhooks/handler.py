"""What a webhook means: receipts settle jobs, inbound messages are kept and told of, templates pause and resume."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict

from config.settings import Settings
from interakt_jobs.event import RANKS
from interakt_jobs.ledger.keys import parse
from interakt_jobs.recipient import earlier_hashes, recipient_hash
from schemas.event import Event
from worker.interakt.correlation import open_callback
from worker.interakt.failure_codes import explain
from worker.ledger import accounts as account_module
from worker.ledger.dead_letters import DeadLetters
from worker.ledger.work_ledger import WorkLedger, load
from worker.telemetry.rate_limited_log import RateLimitedLog

from .keywords import Keywords
from .receipts import apply_receipt

log = logging.getLogger(__name__)
INBOUND, LINK_ID = load("inbound"), load("link_id")
KEEP_INBOUND_SECONDS = 7 * 86400
# One that was written longer ago may have been acted on and forgotten. A day less than it is kept, for clocks that differ.
STALE_MS, WINDOW_MS = 6 * 86_400_000, 86_400_000
MOST_RESENDS, RESEND_SECONDS = 3, 3600.0
PAUSED_STATES = frozenset(
    {"PAUSED", "DISABLED", "REJECTED", "FLAGGED_DISABLED", "PENDING_DELETION", "DELETED"}
)


class WebhookHandler:
    """Acts on the events of the accounts that this worker has keys for; every act is safe to repeat."""

    def __init__(self, ledgers: Mapping[str, WorkLedger], settings: Settings) -> None:
        self.ledgers, self.settings = ledgers, settings
        self._keywords, self._seldom = Keywords(settings), RateLimitedLog()

    def __call__(self, account: str, event: Event, received_ms: int) -> None:
        """Act on one event that came in for ``account``; events of unknown accounts and kinds are only counted."""
        ledger = self.ledgers.get(account)
        if ledger is None:
            log.warning("webhook of an unknown account", extra={"action": "webhook_unknown_account"})
            return
        at = min(
            event.at_ms or received_ms, received_ms
        )  # one without a time is taken as written when it came
        if event.user_id and event.phone and event.kind != "inbound" and received_ms - at <= STALE_MS:
            both = recipient_hash(event.user_id), recipient_hash(event.phone)
            ledger.link.run(LINK_ID, [ledger.prefix], *both)
        if event.kind in ("receipt", "click"):
            self._receipt(ledger, event, at)
        elif event.kind == "inbound":
            self._inbound(ledger, event, at, received_ms)
        elif event.kind == "template_update":
            self._template(ledger, event, at, received_ms)
        elif event.kind in ("account", "quality"):
            extra = {"action": "account_notice", "account": account, "type": event.type, "state": event.state}
            log.warning("Interakt tells of the account", extra=extra)

    def _receipt(self, ledger: WorkLedger, event: Event, at: int) -> None:
        found = self._job(ledger, event)
        if found is None or event.status not in RANKS:
            ledger.link.command("HINCRBY", f"{ledger.prefix}count", "receipt|of_nobody", 1)
            return
        applied = apply_receipt(
            ledger,
            found,
            event.status,
            at_ms=at,
            code=event.code,
            provider_id=event.provider_id,
        )
        if applied.job == "settled":
            log.info(
                "settled by a receipt",
                extra={"action": "settled_by_receipt", "account": ledger.account, "job_key": found},
            )
        if applied.delivery == "resend" and explain(event.code).transient:
            self._resend(ledger, found)

    def _job(self, ledger: WorkLedger, event: Event) -> str | None:
        """The job that a receipt names, if it is the account's: what one account signs says nothing of another's."""
        identity, _ = open_callback(event.callback_data)
        if identity:
            try:
                account, job_key = parse(identity)
            except ValueError:
                return None
            if account != ledger.account and self._seldom(f"foreign {ledger.account}"):
                log.warning(
                    "a receipt of one account names a job of another: does each have its own webhook URL and secret?",
                    extra={"action": "receipt_of_another_account", "account": ledger.account},
                )
            return job_key if account == ledger.account else None
        if not event.provider_id:
            return None
        tail_bytes = ledger.link.command("GET", f"{ledger.prefix}pid:{event.provider_id[:80]}")
        return tail_bytes.decode() if tail_bytes else None

    def _stale(self, ledger: WorkLedger, at_ms: int, received_ms: int) -> bool:
        if received_ms - at_ms <= STALE_MS:
            return False
        ledger.link.command("HINCRBY", f"{ledger.prefix}count", "webhook|stale", 1)
        if self._seldom(f"stale {ledger.account}"):
            log.warning(
                "a webhook that was written days ago is not acted on: somebody sends old ones again, or it came very late",
                extra={"action": "webhook_stale", "account": ledger.account},
            )
        return True

    def _resend(self, ledger: WorkLedger, job_key: str) -> None:
        if int(ledger.link.command("GET", f"{ledger.prefix}replays:{job_key}") or 0) < MOST_RESENDS:
            DeadLetters(ledger, who="resend_on").replay(job_key, delay=RESEND_SECONDS)

    def _inbound(self, ledger: WorkLedger, event: Event, at: int, received_ms: int) -> None:
        person = recipient_hash(event.phone) if event.phone else ""
        facts = asdict(event)
        kept = json.dumps({**facts, "received_ms": received_ms}, ensure_ascii=False)
        asks = self._keywords.asks(event)
        stale = self._stale(ledger, at, received_ms)
        if stale and asks != "stop":
            return
        fresh = ledger.link.run(
            INBOUND,
            [ledger.prefix],
            event.provider_id[:80] or recipient_hash(json.dumps(facts)),
            kept,
            KEEP_INBOUND_SECONDS,
            person,
            "" if stale else self.settings.on_inbound or "",
            self.settings.on_inbound_queue or "",
            event.content or "unknown",
            asks,
            recipient_hash(event.user_id) if event.user_id else "",
            at,
            WINDOW_MS - (received_ms - at),
            *(earlier_hashes(event.phone) if asks == "start" else ()),
        )
        if fresh and asks:
            action = "opted_out" if asks == "stop" else "opted_in"
            action = "keyword_overruled" if fresh == 3 else action
            log.info("a keyword was heard", extra={"action": action, "account": ledger.account})
        if fresh == 2:
            extra = {"action": "optout_of_nobody", "account": ledger.account}
            log.error("a STOP came without a number: see `python -m worker optout open`", extra=extra)

    def _template(self, ledger: WorkLedger, event: Event, at: int, received_ms: int) -> None:
        if self._stale(ledger, at, received_ms):
            return
        group = f"{event.template}:{event.language}"
        extra = {
            "action": "template_notice",
            "account": ledger.account,
            "template": group,
            "state": event.state,
        }
        log.warning("a template's state changed", extra=extra)
        if event.state.upper() == "APPROVED":
            account_module.resume_template(ledger, group, at)
        elif event.state.upper() in PAUSED_STATES:
            account_module.pause_template(ledger, group, 86400, f"{event.state.lower()} by Meta", at)
