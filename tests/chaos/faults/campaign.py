"""A campaign under fire: workers, feeder and beats killed every few seconds, Redis restarted, paused and resumed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

from interakt_jobs.ledger.client import Ledger
from interakt_jobs.ledger.keys import prefix
from interakt_jobs.ledger.redis_client import RedisClient
from tests.chaos.bed import Trial
from tests.chaos.load import text_payload
from tests.chaos.processes import Worker, wait_until
from tests.chaos.registry import fault
from tests.waiting import Patience
from worker.campaigns.definition.definition import read
from worker.campaigns.recipients.sources import Dicts
from worker.campaigns.running import control
from worker.campaigns.store.store import CampaignStore
from worker.schedules.definition import read as read_schedule
from worker.schedules.failures import tail_of
from worker.schedules.store import Schedules

CID = "cchaos00001"
PER_ROUND = 2000
SLOTS = 8
BETWEEN_KILLS = 20  # recipients, so that a slow machine gets on
DEFINITION = {
    "name": "Under fire",
    "template": {"name": "diwali_offer", "language": "en", "body": ["{name}"]},
    "rules": {"stop_when": [{"count": 10**9}]},
}
ACCEPTED = ("accepted", "sent", "delivered", "read", "failed")


@fault("a campaign by beat: kills, Redis restarts, three pauses; everybody once", rounds=10, short=1)
def campaign(trial: Trial) -> None:
    trial.latency()
    people = PER_ROUND * trial.rounds
    workers = [trial.worker(name, slots=SLOTS) for name in ("a", "b")]
    link = RedisClient(trial.bed.valkey.url)
    rows = ({"phone": f"+919{at:09d}", "name": f"N{at}"} for at in range(900_000_000, 900_000_000 + people))
    control.create(link, read({**DEFINITION, "recipients": {"check": "possible"}}), Dicts(rows), campaign=CID)
    beats = [trial.beat(name) for name in ("beat", "standby")]
    pulses = Pulses(trial, link)
    store = CampaignStore(link, "default", CID)
    wait_until(lambda: store.counts().get("accepted", 0) > 20, 120, "the campaign begins")
    events = _events(trial.rounds)
    share = next(events)
    patience, struck_at = Patience(still=120), 0
    while store.status() != "done":
        ended = _ended(store)
        if why := patience.over(-ended):
            raise TimeoutError(f"not done, {why}: {store.counts()}, {store.meta().get('why')}")
        if ended >= share[0] * people:
            _strike(trial, link, share[1])
            share = next(events)
        elif trial.random.random() < 0.4 and ended >= struck_at + BETWEEN_KILLS:
            _kill(trial, workers[trial.random.randrange(2)])
            struck_at = ended
        elif trial.random.random() < 0.5:
            beats[trial.random.randrange(2)].kill()
        time.sleep(trial.random.uniform(0.5, 1.5))
    pulses.judge()
    _judge(trial, store, people)
    unknown = store.counts().get("unknown", 0)
    opened = control.retry(link, "default", CID, unknown=True)
    trial.expect(opened == unknown, f"{opened} of {unknown} unknown ones were opened again")
    wait_until(lambda: store.status() == "done", 300, "the round of the unknown ones ends")
    _judge_round(trial, store)
    # its call names no job, so the oracle could not find it at the provider
    Ledger(link, "default").forget(f"registration-{CID}-0")
    Ledger(link, "default").forget(tail_of("start", pulses.start))
    link.close()


class Pulses:
    """Two schedules: one starts the campaign, the other makes a job every two seconds while it runs."""

    def __init__(self, trial: Trial, link: RedisClient) -> None:
        self.trial, self.schedules = trial, Schedules(link)
        self.start = int(time.time()) + 3
        once = {"every": "1d", "start": _iso(self.start), "run": "run_campaign", "payload": {"campaign": CID}}
        self.schedules.add(read_schedule("start", once))
        pulse = {"every": "2s", "run": "send_text", "lane": "bulk", "payload": text_payload(0)}
        self.schedules.add(read_schedule("pulse", pulse))

    def judge(self) -> None:
        """Each slot that was told as run is one job, and no other is: the oracle judges those."""
        self.schedules.pause("pulse")
        time.sleep(3)  # a tick that is under way
        self.trial.expect(self.schedules.get("start").runs == 1, "the campaign was started more than once")
        redis = self.trial.bed.redis
        jobs = [
            key.decode().rpartition(":")[2]
            for key in redis.scan_iter(f"{prefix('default')}j:schedule.pulse.*", 1000)
        ]
        runs = self.schedules.get("pulse").runs
        self.trial.expect(len(jobs) == runs > 3, f"{runs} slots were run, {len(jobs)} jobs were made")
        self.trial.accepted |= {f"ij1.default.{job_key}": "never" for job_key in jobs}


def _iso(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat()


def _events(rounds: int) -> Iterator[tuple[float, str]]:
    """At which share of the recipients something other than a kill happens."""
    yield from [(0.1, "pause"), (0.2, "redis"), (0.4, "pause"), (0.7, "pause")]
    for turn in range(1, rounds):
        yield 0.7 + 0.25 * turn / rounds, "redis"
    yield 2.0, ""


def _ended(store: CampaignStore) -> int:
    counts = store.counts()
    return sum(
        count for name, count in counts.items() if "|" not in name and name not in ("planned", "enqueued")
    )


def _kill(trial: Trial, victim: Worker) -> None:
    if trial.serves(victim):
        victim.kill()
        trial.bound += victim.slots


def _strike(trial: Trial, link: RedisClient, what: str) -> None:
    if what == "redis":
        trial.bed.valkey.kill()
        time.sleep(trial.random.uniform(0.2, 1.0))
        trial.bed.valkey.start()
        trial.bound += sum(worker.slots for worker in trial.supervisor.workers)
        return
    control.pause(link, "default", CID)
    wait_until(
        lambda: not trial.bed.redis.hlen(f"{prefix('default')}fl"),
        60,
        "the calls under way end after a pause",
    )
    before = _sent(trial)
    time.sleep(1.0)
    trial.expect(
        _sent(trial) == before, "a call was made after the campaign was paused and nothing was under way"
    )
    control.resume(link, "default", CID)


def _sent(trial: Trial) -> int:
    return sum(f".{CID}." in call.job for call in trial.calls())


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
    trial.expect(store.enqueued() == 0 and not store.left(), "something of the campaign was left behind")


def _judge_round(trial: Trial, store: CampaignStore) -> None:
    """Nobody is unknown any more, and only who was is sent to again."""
    taken = Counter(call.job for call in trial.calls() if call.accepted)
    for row in control.export(store.link, "default", CID):
        job = f"ij1.default.{CID}.{row['round']}.{row['index']}"
        trial.expect(row["state"] in ACCEPTED and taken[job] == 1, f"{job} is {row['state']} after a retry")
    trial.expect(not store.enqueued() and not store.left(), "something of the second round was left behind")
