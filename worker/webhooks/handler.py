"""What a webhook means: receipts settle jobs, inbound messages are kept and told of, templates pause and resume."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import schemas.webhook
from config.settings import Settings
from interakt_jobs.ledger.redis_client import RedisClient
from interakt_jobs.recipient import earlier_hashes, recipient_hash
from schemas.event import Event
from worker.ledger import accounts
from worker.ledger.work_ledger import WorkLedger, load
from worker.shutdown import stopping
from worker.telemetry.rate_limited_log import RateLimitedLog
from worker.threads import SupervisedThread

from .consumer import Consumer
from .keywords import Keywords
from .receipts import handle_receipt

log = logging.getLogger(__name__)
INBOUND, LINK_ID = load("inbound"), load("link_id")
KEEP_INBOUND_SECONDS = 7 * 86400
# One that was written longer ago may have been acted on and forgotten. A day less than it is kept, for clocks that differ.
STALE_MS, WINDOW_MS = 6 * 86_400_000, 86_400_000
PAUSED_STATES = frozenset(
    {"PAUSED", "DISABLED", "REJECTED", "FLAGGED_DISABLED", "PENDING_DELETION", "DELETED"}
)


def read(kind: str, body: Any) -> Event:
    """The event of a webhook's JSON; raises ``ValueError`` for what is of no known kind, so that it is kept raw."""
    event = schemas.webhook.read(body)
    if event.kind == "unknown":
        raise ValueError("a webhook of no known kind")
    return event


def thread(link: RedisClient, ledgers: Mapping[str, WorkLedger], settings: Settings) -> SupervisedThread:
    """One that consumes webhooks until the worker stops; any worker may, they share the work."""
    return Consumer(link, sorted(ledgers), read, WebhookHandler(ledgers, settings).handle).thread(stopping)


class WebhookHandler:
    """Acts on the events of the accounts that this worker has keys for; every act is safe to repeat."""

    def __init__(self, ledgers: Mapping[str, WorkLedger], settings: Settings) -> None:
        self.ledgers, self.settings = ledgers, settings
        self._keywords, self._seldom = Keywords(settings), RateLimitedLog()

    def handle(self, account: str, event: Event, received_ms: int) -> None:
        """Act on one event that came in for ``account``; events of unknown accounts and kinds are only counted."""
        ledger = self.ledgers.get(account)
        if ledger is None:
            log.warning("webhook of an unknown account", extra={"action": "webhook_unknown_account"})
            return
        # One without a time is taken as written when it came.
        at = min(event.at_ms or received_ms, received_ms)
        if event.user_id and event.phone and event.kind != "inbound" and received_ms - at <= STALE_MS:
            both = recipient_hash(event.user_id), recipient_hash(event.phone)
            ledger.link.run(LINK_ID, [ledger.prefix], *both)
        if event.kind in ("receipt", "click"):
            handle_receipt(ledger, event, at)
        elif event.kind == "inbound":
            self._inbound(ledger, event, at, received_ms)
        elif event.kind == "template_update":
            self._template(ledger, event, at, received_ms)
        elif event.kind in ("account", "quality"):
            extra = {"action": "account_notice", "account": account, "type": event.type, "state": event.state}
            log.warning("Interakt tells of the account", extra=extra)

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
            accounts.resume_template(ledger, group, at)
        elif event.state.upper() in PAUSED_STATES:
            accounts.pause_template(ledger, group, 86400, f"{event.state.lower()} by Meta", at)
