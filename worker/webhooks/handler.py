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

from .keywords import Keywords
from .receipts import apply_receipt

log = logging.getLogger(__name__)
INBOUND, LINK_ID = load("inbound"), load("link_id")
KEEP_INBOUND_SECONDS = 7 * 86400
MOST_RESENDS, RESEND_SECONDS = 3, 3600.0
PAUSED_STATES = frozenset(
    {"PAUSED", "DISABLED", "REJECTED", "FLAGGED_DISABLED", "PENDING_DELETION", "DELETED"}
)


class Meaning:
    """Acts on the events of the accounts that this worker has keys for; every act is safe to repeat."""

    def __init__(self, ledgers: Mapping[str, WorkLedger], settings: Settings) -> None:
        self.ledgers, self.settings = ledgers, settings
        self._keywords = Keywords(settings)

    def __call__(self, account: str, event: Event, received_ms: int) -> None:
        """Act on one event that came in for ``account``; events of unknown accounts and kinds are only counted."""
        ledger = self.ledgers.get(account)
        if ledger is None:
            log.warning("webhook of an unknown account", extra={"action": "webhook_unknown_account"})
            return
        if event.user_id and event.phone and event.kind != "inbound":
            both = recipient_hash(event.user_id), recipient_hash(event.phone)
            ledger.link.run(LINK_ID, [ledger.prefix], *both)
        if event.kind in ("receipt", "click"):
            self._receipt(ledger, event, received_ms)
        elif event.kind == "inbound":
            self._inbound(ledger, event, received_ms)
        elif event.kind == "template_update":
            self._template(ledger, event)
        elif event.kind in ("account", "quality"):
            extra = {"action": "account_notice", "account": account, "type": event.type, "state": event.state}
            log.warning("Interakt tells of the account", extra=extra)

    def _receipt(self, ledger: WorkLedger, event: Event, received_ms: int) -> None:
        found = self._job(ledger, event)
        if found is None or event.status not in RANKS:
            ledger.link.command("HINCRBY", f"{ledger.prefix}count", "receipt|of_nobody", 1)
            return
        own, tail = found
        applied = apply_receipt(
            own,
            tail,
            event.status,
            at_ms=event.at_ms or received_ms,
            code=event.code,
            provider_id=event.provider_id,
        )
        if applied.job == "settled":
            log.info(
                "settled by a receipt",
                extra={"action": "settled_by_receipt", "account": own.account, "tail": tail},
            )
        if applied.delivery == "resend" and explain(event.code).transient:
            self._resend(own, tail)

    def _job(self, ledger: WorkLedger, event: Event) -> tuple[WorkLedger, str] | None:
        identity, _ = open_callback(event.callback_data)
        if identity:
            try:
                account, tail = parse(identity)
            except ValueError:
                return None
            return (self.ledgers[account], tail) if account in self.ledgers else None
        if not event.provider_id:
            return None
        tail_bytes = ledger.link.command("GET", f"{ledger.prefix}pid:{event.provider_id[:80]}")
        return (ledger, tail_bytes.decode()) if tail_bytes else None

    def _resend(self, ledger: WorkLedger, tail: str) -> None:
        if int(ledger.link.command("GET", f"{ledger.prefix}replays:{tail}") or 0) < MOST_RESENDS:
            DeadLetters(ledger, who="resend_on").replay(tail, delay=RESEND_SECONDS)

    def _inbound(self, ledger: WorkLedger, event: Event, received_ms: int) -> None:
        person = recipient_hash(event.phone) if event.phone else ""
        kept = json.dumps({**asdict(event), "received_ms": received_ms}, ensure_ascii=False)
        asks = self._keywords.asks(event)
        fresh = ledger.link.run(
            INBOUND,
            [ledger.prefix],
            event.provider_id[:80] or recipient_hash(kept),
            kept,
            KEEP_INBOUND_SECONDS,
            person,
            self.settings.on_inbound or "",
            self.settings.on_inbound_queue or "",
            event.content or "unknown",
            asks,
            recipient_hash(event.user_id) if event.user_id else "",
            *(earlier_hashes(event.phone) if asks == "start" else ()),
        )
        if fresh and asks:
            action = "opted_out" if asks == "stop" else "opted_in"
            log.info("a keyword was heard", extra={"action": action, "account": ledger.account})
        if fresh == 2:
            extra = {"action": "optout_of_nobody", "account": ledger.account}
            log.error("a STOP came without a number: see `python -m worker optout open`", extra=extra)

    def _template(self, ledger: WorkLedger, event: Event) -> None:
        group = f"{event.template}:{event.language}"
        extra = {
            "action": "template_notice",
            "account": ledger.account,
            "template": group,
            "state": event.state,
        }
        log.warning("a template's state changed", extra=extra)
        if event.state.upper() == "APPROVED":
            account_module.resume_template(ledger, group)
        elif event.state.upper() in PAUSED_STATES:
            account_module.pause_template(ledger, group, 86400, f"{event.state.lower()} by Meta")
