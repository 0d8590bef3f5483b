"""``/metrics``: read from Redis when it is scraped, so that any web process shows the whole; its own spool beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from interakt_jobs.errors import JobError
from interakt_jobs.ledger.constants import LANES
from interakt_jobs.ledger.keys import ACCOUNTS
from interakt_jobs.ledger.redis_client import RedisClient
from worker.campaigns.store.store import CampaignStore, campaigns
from worker.ledger import status
from worker.ledger.status import Status
from worker.schedules.store import Schedules
from worker.webhooks.spool import Spool
from worker.webhooks.streams import stream

from . import series

LIVING_MS = 15_000
CAMPAIGNS = 20
CAMPAIGN_STATES = ("planning", "planned", "running", "paused", "done", "cancelled")


class Metrics:
    """One registry whose only collector is this."""

    def __init__(self, redis_url: str, spool: Spool) -> None:
        self._link = RedisClient(redis_url, timeout=1.0, connect_timeout=1.0)
        self._spool = spool
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def text(self) -> bytes:
        """Prometheus' text form; with Redis away, ``interakt_redis_up 0`` and little else."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        yield _gauge(
            "interakt_webhook_spool_bytes", "Webhooks on this process's disk.", self._spool.waiting_bytes
        )
        try:
            found = list(self._ledger())
        except JobError:
            yield _gauge("interakt_redis_up", "Whether Redis answered.", 0)
            return
        yield _gauge("interakt_redis_up", "Whether Redis answered.", 1)
        yield from found

    def _ledger(self) -> Iterable[Metric]:
        (names,) = self._link.pipeline([["SMEMBERS", ACCOUNTS]])
        statuses = [status.read(self._link, name.decode()) for name in sorted(names)]
        counts = {each.account: each.counts for each in statuses}
        yield from series.counters(counts)
        yield from series.histograms(counts)
        yield from _jobs(statuses)
        yield from _accounts(statuses)
        yield self._webhooks(statuses)
        yield from self._campaigns(statuses)
        yield self._workers()
        yield _gauge(
            "interakt_poison_messages",
            "Messages on our queues that were not ours.",
            status.poison(self._link),
        )
        yield _gauge(
            "interakt_schedules_behind_seconds",
            "For how long the longest waiting schedule should have been looked at: is there a beat?",
            Schedules(self._link).behind(),
        )

    def _webhooks(self, statuses: list[Status]) -> Metric:
        family = GaugeMetricFamily("interakt_webhooks_waiting", "Webhooks not yet read.", labels=["account"])
        lengths = (
            self._link.pipeline([["XLEN", stream(each.account)] for each in statuses]) if statuses else []
        )
        for each, length in zip(statuses, lengths, strict=True):
            family.add_metric([each.account], length)
        return family

    def _campaigns(self, statuses: list[Status]) -> Iterable[Metric]:
        """Recipients by state over the account's newest campaigns, without a label for each campaign."""
        people = GaugeMetricFamily(
            "interakt_campaign_recipients",
            f"Recipients of the {CAMPAIGNS} newest campaigns by state.",
            labels=["account", "state"],
        )
        number = GaugeMetricFamily(
            "interakt_campaigns",
            f"Of the {CAMPAIGNS} newest campaigns, by status.",
            labels=["account", "status"],
        )
        for each in statuses:
            states: dict[str, int] = {}
            found: dict[str, int] = {}
            for name, _ in campaigns(self._link, each.account, CAMPAIGNS):
                store = CampaignStore(self._link, each.account, name)
                status_ = store.status()
                if status_ in CAMPAIGN_STATES:
                    found[status_] = found.get(status_, 0) + 1
                for state, count in store.counts().items():
                    if "|" not in state:
                        states[state] = states.get(state, 0) + count
            for state, count in states.items():
                people.add_metric([each.account, state], count)
            for status_, count in found.items():
                number.add_metric([each.account, status_], count)
        return people, number

    def _workers(self) -> Metric:
        family = GaugeMetricFamily(
            "interakt_workers", "Worker processes heard of lately, by queue.", labels=["queue"]
        )
        queues = [*LANES, "intake"]
        living = [each for each in status.workers(self._link) if each["age_ms"] < LIVING_MS]
        for queue in queues:
            family.add_metric([queue], sum(queue in each["queues"] for each in living))
        return family


def _gauge(name: str, what: str, value: float) -> Metric:
    return GaugeMetricFamily(name, what, value=value)


def _jobs(statuses: list[Status]) -> Iterable[Metric]:
    jobs = GaugeMetricFamily("interakt_jobs", "Jobs by where they are.", labels=["account", "lane", "state"])
    age = GaugeMetricFamily(
        "interakt_oldest_ready_seconds",
        "How long the oldest ready job has been due.",
        labels=["account", "lane"],
    )
    for each in statuses:
        for name, lane in each.lanes.items():
            for state in ("ready", "waiting", "released", "running"):
                jobs.add_metric([each.account, name, state], getattr(lane, state))
            age.add_metric([each.account, name], lane.oldest_ms / 1000)
    return jobs, age


# Each a gauge with the account as its only label.
ACCOUNT_GAUGES: dict[str, tuple[str, Callable[[Status], float]]] = {
    "interakt_unknown_jobs": ("Jobs whose outcome is unknown, held for a receipt.", lambda each: each.held),
    "interakt_parked_jobs": (
        "Jobs that wait for a paused template.",
        lambda each: sum(each.parked.values()),
    ),
    "interakt_dead_letters_waiting": ("Dead letters that nobody has dealt with.", lambda each: each.dead),
    "interakt_delivery_failed_waiting": (
        "Jobs accepted and then not delivered.",
        lambda each: each.delivery_failed,
    ),
    "interakt_outbox": ("Messages for applications not yet published.", lambda each: each.outbox),
    "interakt_budget_calls": ("Calls allowed in one window.", lambda each: each.rate),
    "interakt_budget_window_seconds": ("The window of the limit.", lambda each: each.window_ms / 1000),
    "interakt_budget_factor": ("What is left of the rate after a 429; 1 is all.", lambda each: each.factor),
    "interakt_budget_used": ("Calls in the last minute.", lambda each: each.used_last_minute),
    "interakt_webhooks_alarm": (
        "Whether receipts have stopped coming, or come with a wrong signature.",
        lambda each: int(bool(each.webhooks_alarm)),
    ),
    "interakt_optouts_open": (
        "STOPs whose sender's number is not known.",
        lambda each: each.optouts_open,
    ),
    "interakt_data_lost": (
        "Whether Redis has lost its data, and bulk waits for a person to confirm it.",
        lambda each: int(bool(each.lost_ms)),
    ),
    "interakt_account_keyless": (
        "Whether workers live and none has the account's key.",
        lambda each: int(each.keyless_ms > 0),
    ),
    "interakt_account_paused": (
        "Whether the account is paused.",
        lambda each: int(each.paused_ms > 0 or each.breaker == "open"),
    ),
}


def _accounts(statuses: list[Status]) -> Iterable[Metric]:
    for name, (what, value) in ACCOUNT_GAUGES.items():
        family = GaugeMetricFamily(name, what, labels=["account"])
        for each in statuses:
            family.add_metric([each.account], value(each))
        yield family
