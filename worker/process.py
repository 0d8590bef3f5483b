"""What a worker process shares, and what it does with a message of Celery's."""

from __future__ import annotations

import functools
import logging
import re
import time

from config.settings import Account, Settings, current
from interakt_jobs import settings as producer_settings
from interakt_jobs.errors import JobError
from interakt_jobs.ledger.keys import ACCOUNTS
from interakt_jobs.ledger.redis_client import RedisClient
from tasks import job_task

from .campaigns.running.run_campaign import carry_out
from .delivery import alarms
from .delivery.attempt import Attempt, RetryPolicy
from .delivery.runner import Delivery
from .dispatch.heartbeat import Heartbeat
from .dispatch.thread_shares import ThreadShares, Turn
from .interakt.client import Client
from .interakt.uploads import Uploads
from .ledger.layout import refuse_old_data
from .ledger.set_aside import SetAside
from .ledger.work_ledger import WorkLedger, load
from .schedules.store import Schedules
from .schedules.tick import tick as run_tick
from .shutdown import stopping
from .threads import log_waiting

log = logging.getLogger(__name__)
REGISTER = load("register")
VERSIONS = (1,)
_TAIL = re.compile(r"[\w.\-]{1,80}\Z", re.ASCII)


class Process:
    """The settings, a connection to Redis, and a ledger and a delivery per account."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.link = RedisClient(settings.redis_url, timeout=5.0, connect_timeout=3.0)
        self.heartbeat = Heartbeat(self.link, lease_seconds=settings.lease_seconds)
        self.ledgers = {name: self._ledger(name) for name in settings.accounts}
        self.set_aside = SetAside(self.link, self.ledgers.values())
        self.heartbeat.before = self.set_aside.look
        self.shares = ThreadShares(len(self.ledgers))
        self._deliveries: dict[str, Delivery] = {}

    def _ledger(self, account: str) -> WorkLedger:
        ledger = WorkLedger(self.link, account)
        ledger.lease_ms = int(self.settings.lease_seconds * 1000)
        ledger.release_ms = int(self.settings.release_seconds * 1000)
        return ledger

    def delivery(self, account: str) -> Delivery:
        """The account's delivery, made when first used and thus after a fork; raises ``KeyError``."""
        found = self._deliveries.get(account)
        if found is None:
            found = self._deliveries.setdefault(account, self._make(account))
        return found

    def _make(self, account: str) -> Delivery:
        settings, known = self.settings, self.settings.accounts[account]
        ledger = self.ledgers[account]
        attempt = Attempt(
            RetryPolicy(base=settings.retry_base_seconds, cap=settings.retry_cap_seconds),
            keep_seconds=settings.keep_done_seconds,
            on_error=functools.partial(alarms.attempt_failed, account),
            receipts_live=alarms.ReceiptsSeen(ledger),
        )
        client = Client(
            known.base_url,
            known.api_key.reveal(),
            deadline=settings.http_deadline_seconds,
            uploads=Uploads(settings.upload_dir, allow_private=settings.upload_private_urls),
        )
        local = {"run_campaign": functools.partial(carry_out, settings.campaign_dir, attempt.keep)}
        return Delivery(ledger, client, attempt, self.heartbeat, settings.allow_unknown_fields, local)

    def register(self) -> None:
        """Make the accounts known to producers; the rate is seeded once, what `account set` changed stays."""
        refuse_old_data(self.link)
        for name, account in self.settings.accounts.items():
            self.link.command("SADD", ACCOUNTS, name)
            self.link.run(
                REGISTER,
                [self.ledgers[name].prefix],
                account.calls_per_window,
                int(account.window_seconds * 1000),
                *(word for pair in _facts(self.settings, account).items() for word in pair),
            )


def _facts(settings: Settings, account: Account) -> dict[str, int]:
    """What the settings say of an account, by the names of settings.lua."""
    return {
        **{f"share_{lane}": share for lane, share in settings.lane_shares.items()},
        "max_age": int(settings.max_age_seconds * 1000),
        "keep_done": max(1, int(settings.keep_done_seconds)),
        "keep_dead": max(1, int(settings.keep_dead_seconds)),
        "hold_ms": int(settings.hold_seconds * 1000),
        "otp_hold_ms": int(settings.otp_hold_seconds * 1000),
        "never_hold_ms": int(settings.never_hold_seconds * 1000),
        "pair_ms": int(settings.pair_seconds * 1000),
        "per_day": settings.bulk_per_recipient_per_day,
        "window_guard": int(settings.session_window_guard),
        "webhooks": int(account.webhook_secret is not None),
    }


_process: Process | None = None


def process() -> Process:
    """This process's, made when first used."""
    global _process
    if _process is None:
        _process = Process(current())
        settings = _process.settings
        producer_settings.configure(
            settings.redis_url,
            allow_unknown_fields=settings.allow_unknown_fields,
            max_payload_bytes=settings.max_payload_bytes,
        )
        job_task.served.update(_process.ledgers)
    return _process


def deliver(version: int, account: str, job_keys: list[str], lane: str) -> None:
    """Handle a wake-up; one that this worker does not understand is left to the reaper and a newer worker."""
    if version not in VERSIONS or not isinstance(job_keys, list) or not isinstance(account, str):
        log.warning("wake-up of an unknown version", extra={"action": "unknown_version"})
        return
    here = process()
    if account not in here.ledgers:
        log.warning("wake-up of an account without a key here", extra={"action": "unknown_account"})
        return
    mine = [job_key for job_key in job_keys if isinstance(job_key, str) and _TAIL.match(job_key)]
    came = Turn(account, lane, mine, time.monotonic())
    turn = came if here.shares.take(came) else None
    while turn and not stopping():
        try:
            here.delivery(turn.account).deliver(
                turn.job_keys, functools.partial(here.shares.must_yield, turn)
            )
        finally:
            turn = here.shares.done(turn)


def tick(name: str) -> None:
    """Make the job of a schedule's slot; what cannot be done now is asked for again by beat."""
    try:
        run_tick(Schedules(process().link), str(name))
    except JobError as error:
        log_waiting("a schedule's tick", error)


def leave() -> None:
    """The worker ends: give up the dispatcher's lease and the entry among the workers."""
    if _process is not None:
        for thread in _process.heartbeat.watch.threads:
            thread.join(3)
        _process.heartbeat.leave()
