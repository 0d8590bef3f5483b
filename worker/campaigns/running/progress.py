"""Where a campaign is: its counts, its pace and when it will be done."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from interakt_jobs.ledger.redis_client import RedisClient
from worker.campaigns.definition.definition import Definition, read
from worker.campaigns.planning.windows import Windows, finishing_time
from worker.campaigns.store.store import CampaignStore

UNFINISHED = ("planned", "enqueued", "held")
PACE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Progress:
    """One campaign now.

    ``status`` is planning, planned, running, paused, done or cancelled; ``why`` says why it is paused, or what a
    running one waits for. ``counts`` is recipients by state, and by ``state|reason``; the states add up to
    ``recipients``. Of those ``enqueued``, ``under_way`` are being sent now; the others wait in the bulk lane. ``rejected``
    is rows left out when it was planned, by kind. ``per_minute`` is the pace of the last minute; ``finish`` (UTC) is
    when the last message goes out, None when that cannot be said.
    """

    id: str
    name: str
    account: str
    status: str
    why: str = ""
    round: int = 0
    recipients: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    under_way: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    per_minute: float = 0.0
    finish: datetime | None = None

    @property
    def left(self) -> int:
        """Recipients that have no outcome yet."""
        return sum(self.counts.get(state, 0) for state in UNFINISHED)

    def as_json(self) -> dict[str, Any]:
        """The same as a dict that ``json.dumps`` takes; times in ISO 8601."""
        return {**asdict(self), "finish": self.finish.isoformat() if self.finish else None}


def progress(link: RedisClient, account: str, campaign: str) -> Progress:
    """Where a campaign is; raises ``NoSuchCampaign`` and ``LedgerUnreachable``."""
    store = CampaignStore(link, account, campaign)
    meta, counts = store.meta(), store.counts()
    now = store.now()
    status = meta["status"]
    finish = None
    if status in ("planned", "running") and "version" in meta:
        finish = _finish(store, meta, read(json.loads(meta["definition"])), now)
    return Progress(
        id=campaign,
        name=meta.get("name", ""),
        account=store.account,
        status=status,
        why=meta.get("waits" if status == "running" else "why", ""),
        round=int(meta.get("round", "0")),
        recipients=int(meta.get("recipients", "0")),
        counts=counts,
        under_way=_under_way(store),
        rejected=json.loads(meta.get("rejected", "{}")),
        per_minute=_pace(meta, finished(counts), now.timestamp()) if status == "running" else 0.0,
        finish=finish,
    )


def finished(counts: Mapping[str, int]) -> int:
    """How many recipients have an outcome, of counts by state and by ``state|reason``."""
    return sum(n for state, n in counts.items() if "|" not in state and state not in UNFINISHED)


def next_pace(pace: str, ended: int, now: float) -> str:
    """The samples ``seconds:ended`` kept for the pace, with one more each ten seconds."""
    samples = [sample for sample in pace.split() if float(sample.partition(":")[0]) > now - PACE_SECONDS - 20]
    if samples and float(samples[-1].partition(":")[0]) > now - 10:
        return pace
    return " ".join([*samples, f"{now:.1f}:{ended}"])


def calls_per_minute(store: CampaignStore) -> float:
    """The calls that the account may make a minute now, after what 429 answers have cut."""
    rate, window, factor = store.link.command("HMGET", f"{store.prefix}state", "rate", "window_ms", "factor")
    return float(rate or 300) * 60_000 / float(window or 60_000) * float(factor or 1)


def _under_way(store: CampaignStore) -> int:
    running = store.link.command("ZRANGE", f"{store.prefix}run:bulk", 0, -1)
    return sum(job_key.startswith(f"{store.campaign}.".encode()) for job_key in running)


def _pace(meta: Mapping[str, str], ended: int, now: float) -> float:
    samples = [sample.partition(":") for sample in meta.get("pace", "").split()]
    recent = [(float(at), int(count)) for at, _, count in samples if float(at) > now - PACE_SECONDS - 15]
    if not recent or now - recent[0][0] < 1:
        return 0.0
    return round(max(0, ended - recent[0][1]) * 60 / (now - recent[0][0]), 1)


def _finish(
    store: CampaignStore, meta: Mapping[str, str], definition: Definition, now: datetime
) -> datetime | None:
    zones: list[str] = json.loads(meta.get("zones", "[]"))
    left: dict[str, int] = {}
    for block, planned in store.left().items():
        left[zones[block]] = left.get(zones[block], 0) + planned
    start = max(now, definition.schedule.start or now)
    rate = calls_per_minute(store)
    return finishing_time(start, left, Windows(definition.rules), rate, definition.schedule.end)[0]
