"""A campaign under fire: workers and the feeder killed every few seconds, Redis restarted, paused and resumed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

from interakt_jobs.ledger import Ledger
from interakt_jobs.link import Link
from tests.chaos.bed import Trial
from tests.chaos.processes import Worker, wait_until
from tests.chaos.registry import fault
from worker.campaigns import control
from worker.campaigns.definition import read
from worker.campaigns.sources import Dicts
from worker.campaigns.store import CampaignStore

CID = "cchaos00001"
PER_ROUND = 2000
SLOTS = 8
DEFINITION = {
    "name": "Under fire",
    "template": {"name": "diwali_offer", "language": "en", "body": ["{name}"]},
    "rules": {"stop_when": [{"count": 10**9}]},
}
ACCEPTED = ("accepted", "sent", "delivered", "read", "failed")


@fault("a campaign: kills, Redis restarts, three pauses; everybody once", rounds=10, short=1)
def campaign(trial: Trial) -> None:
    trial.latency()
    people = PER_ROUND * trial.rounds
    workers = [trial.worker(name, slots=SLOTS) for name in ("a", "b")]
    link = Link(trial.bed.valkey.url)
    rows = ({"phone": f"+919{at:09d}", "name": f"N{at}"} for at in range(900_000_000, 900_000_000 + people))
    control.create(link, read({**DEFINITION, "recipients": {"check": "possible"}}), Dicts(rows), campaign=CID)
    control.start(link, "default", CID)
    store = CampaignStore(link, "default", CID)
    wait_until(lambda: store.counts().get("accepted", 0) > 20, 30, "the campaign begins")
    events = _events(trial.rounds)
    share = next(events)
    end = time.monotonic() + 60 + people / 40
    while store.status() != "done":
        if time.monotonic() > end:
            raise TimeoutError(f"not done: {store.counts()}, {store.meta().get('why')}")
        if _ended(store) >= share[0] * people:
            _strike(trial, link, share[1])
            share = next(events)
        elif trial.random.random() < 0.4:
            _kill(trial, workers[trial.random.randrange(2)])
        time.sleep(trial.random.uniform(0.5, 1.5))
    _judge(trial, store, people)
    unknown = store.counts().get("unknown", 0)
    opened = control.retry(link, "default", CID, unknown=True)
    trial.expect(opened == unknown, f"{opened} of {unknown} unknown ones were opened again")
    wait_until(lambda: store.status() == "done", 60, "the round of the unknown ones ends")
    _judge_round(trial, store)
    # its call names no job, so the oracle could not find it at the provider
    Ledger(link, "default").forget(f"registration-{CID}-0")
    link.close()


def _events(rounds: int) -> Iterator[tuple[float, str]]:
    """At which share of the recipients something other than a kill happens."""
    yield from [(0.1, "pause"), (0.2, "redis"), (0.4, "pause"), (0.7, "pause")]
    for turn in range(1, rounds):
        yield 0.7 + 0.25 * turn / rounds, "redis"
    yield 2.0, ""


def _ended(store: CampaignStore) -> int:
    counts = store.counts()
    return sum(count for name, count in counts.items() if "|" not in name and name not in ("planned", "fed"))


def _kill(trial: Trial, victim: Worker) -> None:
    if trial.serves(victim):
        victim.kill()
        trial.bound += victim.slots


def _strike(trial: Trial, link: Link, what: str) -> None:
    if what == "redis":
        trial.bed.valkey.kill()
        time.sleep(trial.random.uniform(0.2, 1.0))
        trial.bed.valkey.start()
        trial.bound += sum(worker.slots for worker in trial.supervisor.workers)
        return
    control.pause(link, "default", CID)
    time.sleep(2.0)
    before = len(trial.calls())
    time.sleep(1.0)
    trial.expect(len(trial.calls()) == before, "a call was made 2 s after the campaign was paused")
    control.resume(link, "default", CID)


def _judge(trial: Trial, store: CampaignStore, people: int) -> None:
    """Each recipient accepted exactly once, or unknown; the export adds up."""
    taken = Counter(call.job for call in trial.calls() if call.accepted)
    states: Counter[str] = Counter()
    phones = set()
    for row in control.export(store.link, "default", CID):
        job = f"ij1.default.{CID}.{row['round']}.{row['index']}"
        states[row["state"]] += 1
        phones.add(row["phone"])
        times = taken.pop(job, 0)
        trial.expect(times <= 1, f"{job} was accepted {times} times")
        if row["state"] in ACCEPTED:
            trial.expect(times == 1, f"{job} is {row['state']}, but was accepted {times} times")
        else:
            trial.expect(row["state"] == "unknown", f"{job} is {row['state']} for {row['reason']}")
    strangers = [job for job in taken if f".{CID}." in job]
    trial.expect(not strangers, f"accepted, but of no recipient: {strangers[:5]}")
    trial.expect(
        len(phones) == sum(states.values()) == people, f"{sum(states.values())} of {people} exported"
    )
    counts = {name: count for name, count in store.counts().items() if "|" not in name}
    trial.expect(counts == dict(states), f"counts {counts}, slots {dict(states)}")
    trial.expect(states["unknown"] <= trial.bound, f"{states['unknown']} unknown of at most {trial.bound}")
    trial.expect(store.fed() == 0 and not store.left(), "something of the campaign was left behind")


def _judge_round(trial: Trial, store: CampaignStore) -> None:
    """Nobody is unknown any more, and only who was is sent to again."""
    taken = Counter(call.job for call in trial.calls() if call.accepted)
    for row in control.export(store.link, "default", CID):
        job = f"ij1.default.{CID}.{row['round']}.{row['index']}"
        trial.expect(row["state"] in ACCEPTED and taken[job] == 1, f"{job} is {row['state']} after a retry")
    trial.expect(not store.fed() and not store.left(), "something of the second round was left behind")
