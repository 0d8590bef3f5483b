"""A campaign under a random walk of everything that can happen to it, judged by what the provider saw."""

from __future__ import annotations

import random
import time
import uuid
from collections import Counter

import pytest

from interakt_jobs.errors import NotCancellable
from interakt_jobs.ledger.keys import prefix
from interakt_jobs.ledger.redis_client import RedisClient
from worker.campaigns.running import control
from worker.campaigns.running.campaign_feeder import CampaignFeeder
from worker.campaigns.store.store import CampaignStore
from worker.ledger.work_ledger import Work, WorkLedger
from worker.webhooks.receipts import apply_receipt

from .test_campaign_feed import CID, adds_up, begin, take
from .test_ledger import reap, receipts_live

PEOPLE, STEPS = 40, 220
ACCEPTED = frozenset({"accepted", "sent", "delivered", "read", "failed"})
KINDS = ("sent", "delivered", "read", "failed")


class World:
    """The provider, the workers with a call in flight, and answers that are still on their way."""

    def __init__(self, ledger: WorkLedger, link: RedisClient, seed: int, policy: str) -> None:
        self.ledger, self.link, self.chance = ledger, link, random.Random(seed)
        self.store: CampaignStore = begin(
            link, PEOPLE, rules={"stop_when": [{"count": 10**6}]}, retry={"repeat": policy, "max_attempts": 3}
        )
        self.feeder = CampaignFeeder()
        self.taken: Counter[str] = Counter()
        self.flying: list[Work] = []
        self.late: list[Work] = []
        self.settled: list[tuple[Work, tuple[object, ...]]] = []
        self.told: dict[str, tuple[str, int]] = {}

    def feed(self) -> None:
        self.feeder.round(self.ledger)

    def begin_calls(self) -> None:
        self.hurry()
        works = take(self.ledger, self.chance.randrange(1, 8))
        self.flying += works

    def _call(self) -> Work | None:
        return self.flying.pop(self.chance.randrange(len(self.flying))) if self.flying else None

    def _settle(self, work: Work, *outcome: object) -> None:
        self.ledger.step(work, outcome, again=False)  # type: ignore[arg-type]
        self.settled.append((work, outcome))

    def _done(self, work: Work) -> None:
        self._settle(work, "done", str(uuid.uuid4()), 200, "", 60, "1", "")

    def accept(self) -> None:
        if work := self._call():
            self.taken[work.job_key] += 1
            self._done(work)

    def lose_answer(self) -> None:
        if work := self._call():
            self.taken[work.job_key] += self.chance.random() < 0.5
            self._settle(work, "unknown", "timeout", "", 1)

    def refuse(self) -> None:
        if work := self._call():
            self._settle(work, "dead", "rejected", "no", 400, "")

    def try_later(self) -> None:
        if work := self._call():
            self._settle(work, "retry", 1, "503", "")

    def give_back(self) -> None:
        if work := self._call():
            self._settle(work, "unsent")

    def die(self) -> None:
        """A worker is killed, or so slow that its lease ends: then its answer may still come."""
        if work := self._call():
            if accepted := self.chance.random() < 0.5:
                self.taken[work.job_key] += 1
            self.link.command("ZADD", f"{prefix('default')}run:bulk", "XX", 1, work.job_key)
            reap(self.ledger)
            if accepted and self.chance.random() < 0.5:
                self.late.append(work)

    def answer_late(self) -> None:
        if self.late:
            self._done(self.late.pop())

    def repeat_settle(self) -> None:
        if self.settled:
            work, outcome = self.chance.choice(self.settled)
            self.ledger.step(work, outcome, again=True)  # type: ignore[arg-type]

    def receipt(self) -> None:
        if job_keys := [job_key for job_key, times in self.taken.items() if times]:
            now = int(time.time() * 1000)
            apply_receipt(
                self.ledger, self.chance.choice(job_keys), self.chance.choice(KINDS), at_ms=now, code="131049"
            )

    def pause(self) -> None:
        if self.store.status() == "running":
            if self.chance.random() < 0.5:
                control.pause(self.link, "default", CID)
            else:  # cut off before anything was taken back
                control.transition(self.link, "default", CID, "paused", "", "running")

    def resume(self) -> None:
        if self.store.status() == "paused":
            control.resume(self.link, "default", CID)

    def cancel_one(self) -> None:
        if self.chance.random() < 0.1:
            try:
                self.ledger.cancel(f"{CID}.0.{self.chance.randrange(PEOPLE)}")
            except (NotCancellable, LookupError):
                return

    def retry(self) -> None:
        if self.chance.random() < 0.1:
            control.retry(
                self.link,
                "default",
                CID,
                failed=self.chance.random() < 0.7,
                not_delivered=False,
                unknown=True,
            )

    def hurry(self) -> None:
        """What waits for a later time is due now."""
        for name in ("ready:bulk", "held"):
            for job_key in self.link.command("ZRANGE", f"{prefix('default')}{name}", 0, -1):
                self.link.command("ZADD", f"{prefix('default')}{name}", "XX", 1, job_key)
        reap(self.ledger)

    def end(self) -> None:
        """Everything that is on its way comes in, and the campaign runs to its end."""
        self.resume()
        for _ in range(300):
            self.feed()
            self.begin_calls()
            while self.flying:
                self.accept()
            if self.store.status() == "done":
                break
        while self.late:
            self.answer_late()

    def look(self) -> None:
        """An application exports: no end that it has seen becomes another one, unless it is named a correction."""
        for row in control.export(self.link, "default", CID):
            if not row["event"]:
                continue
            end = "accepted" if row["state"] in ACCEPTED else row["state"]
            before, number = self.told.get(row["id"], (end, 0))
            assert end == before or row["was"], f"{row['id']} was told to be {before}, and is {end}"
            assert row["sequence"] >= number, row
            self.told[row["id"]] = end, row["sequence"]

    def judge(self, policy: str) -> None:
        adds_up(self.store)
        for outcome in self.store.outcomes():
            state = outcome.recipient_state
            job_keys = [f"{CID}.{number}.{outcome.index}" for number in range(state.round + 1)]
            times = self.taken[job_keys[-1]]
            if state.state in ACCEPTED:
                assert times >= 1, f"{job_keys[-1]} is {state.state}, but was never accepted"
            if state.state in ("dead", "cancelled", "skipped"):
                assert times == 0, f"{job_keys[-1]} is {state.state}, but was accepted"
            if policy == "never":
                assert times <= 1, f"{job_keys[-1]} was accepted {times} times"
            elif times > 1:
                assert state.ambiguous or state.state == "unknown", (
                    f"{job_keys[-1]}: {times} times, not marked"
                )


@pytest.mark.parametrize("policy", ["never", "after_hold"])
@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_everybody_is_sent_to_once_and_the_slots_tell_the_truth(
    ledger: WorkLedger, link: RedisClient, seed: int, policy: str
) -> None:
    world = World(ledger, link, seed, policy)
    acts = [
        *[world.feed, world.begin_calls] * 3,
        *[world.accept] * 5,
        *[world.lose_answer, world.die, world.answer_late, world.receipt] * 2,
        *(world.refuse, world.try_later, world.give_back, world.repeat_settle),
        *(world.pause, world.resume, world.resume, world.cancel_one, world.retry),
    ]
    if policy == "after_hold":
        receipts_live(ledger)
    for _ in range(STEPS):
        world.chance.choice(acts)()
        if world.chance.random() < 0.2:
            world.look()
    adds_up(world.store)
    world.end()
    world.judge(policy)
    assert world.store.status() == "done"
    assert world.store.enqueued() == 0
    for key in (
        "tries",
        "possibly_sent",
        "fl",
        "held",
        "dead",
        "ready:bulk",
        "run:bulk",
        "rel:bulk",
        "campaigns_on",
    ):
        assert not link.command("EXISTS", f"{prefix('default')}{key}"), key
    assert link.command("KEYS", f"{prefix('default')}*:{CID}.*") == []
