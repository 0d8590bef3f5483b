"""Keeps about a minute of the account's budget in flight over all its running campaigns.

The process that leads the dispatcher calls it once a second. The work is done in a thread of its own, so that an urgent
job never waits for it. Two feeders at once do no harm: the script looks at each recipient's state. It holds one block
of recipients per campaign in memory.
"""

from __future__ import annotations

import logging
import random
import threading
import time

from interakt_jobs.errors import JobError
from worker.campaigns.definition.errors import CampaignError, NoSuchCampaign
from worker.campaigns.store.store import CampaignStore
from worker.ledger.work_ledger import WorkLedger
from worker.shutdown import stopping
from worker.threads import log_waiting

from .progress import calls_per_minute
from .running_campaign import RunningCampaign

log = logging.getLogger(__name__)
LEAST, MOST = 20, 20_000
ROUND_SECONDS = 2.0


class CampaignFeeder:
    """A chore of the dispatcher."""

    def __init__(self) -> None:
        self._busy: dict[str, threading.Thread] = {}
        self._running: dict[tuple[str, str], RunningCampaign] = {}

    def begin_round(self, ledger: WorkLedger) -> None:
        """Begin a round in a thread of its own, unless the account's last one still runs."""
        if not ledger.link.command("EXISTS", f"{ledger.prefix}campaigns_on"):
            return
        busy = self._busy.get(ledger.account)
        if busy is None or not busy.is_alive():
            busy = threading.Thread(target=self._guarded, args=(ledger,), name="feeder", daemon=True)
            self._busy[ledger.account] = busy
            busy.start()

    def _guarded(self, ledger: WorkLedger) -> None:
        try:
            self.round(ledger)
        except JobError as error:
            log_waiting("the feeder", error)
        except Exception as error:
            extra = {"action": "feeder_failed", "error": type(error).__name__, "account": ledger.account}
            log.error("feeder failed", extra=extra, exc_info=error)

    def round(self, ledger: WorkLedger) -> int:
        """Look once at every campaign of the account that has something to do; returns how many recipients were enqueued."""
        members = ledger.link.command("SMEMBERS", f"{ledger.prefix}campaigns_on")
        stores = [CampaignStore(ledger.link, ledger.account, member.decode()) for member in members]
        random.shuffle(stores)
        self._forget(ledger.account, {store.campaign for store in stores})
        running = [store for store in stores if self._prepared(ledger, store)]
        if not running:
            return 0
        in_flight = sum(store.enqueued() for store in stores)
        room = int(min(MOST, max(LEAST, calls_per_minute(running[0])))) - in_flight
        until, enqueued = time.monotonic() + ROUND_SECONDS, 0
        for at, store in enumerate(running):
            if room <= 0 or stopping():
                break
            share = -(-room // (len(running) - at))
            new = self._running[store.account, store.campaign].enqueue(share, until)
            enqueued, room = enqueued + new, room - new
        return enqueued

    def _prepared(self, ledger: WorkLedger, store: CampaignStore) -> bool:
        """Do what a campaign needs besides enqueueing; whether its recipients may be enqueued."""
        try:
            if self._may_enqueue(ledger, store):
                return True
        except JobError:
            raise
        except (CampaignError, NoSuchCampaign):
            pass  # a person has changed it meanwhile: the next round sees that
        except Exception as error:  # noqa: BLE001  one broken campaign must not stop the others
            extra = {"action": "feeder_failed", "campaign": store.campaign, "error": type(error).__name__}
            log.error("a campaign cannot be enqueued", extra=extra)
            return False
        store.run("complete_if_idle")
        return False

    def _may_enqueue(self, ledger: WorkLedger, store: CampaignStore) -> bool:
        status = store.status()
        if status != "running":
            store.withdraw()
            if status == "cancelled":
                store.close("cancelled")
            return False
        key = (store.account, store.campaign)
        running = self._running[key] = self._running.get(key) or RunningCampaign(store)
        return running.may_enqueue(ledger)

    def _forget(self, account: str, campaigns: set[str]) -> None:
        for key in [key for key in self._running if key[0] == account and key[1] not in campaigns]:
            del self._running[key]
