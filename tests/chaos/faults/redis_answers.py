"""Redis lives and answers with errors; somebody writes other types over the ledger's keys. No process may end of it."""

from __future__ import annotations

import time

from interakt_jobs.ledger.keys import CELERY, POISON, WORKERS, prefix
from interakt_jobs.ledger.redis_client import RedisClient
from tests.chaos.bed import Trial
from tests.chaos.faults.redis_down import _pids, _same_processes, _two
from tests.chaos.load import text_payload
from tests.chaos.processes import wait_until
from tests.chaos.registry import fault
from tests.troubles import TROUBLES
from worker.schedules.definition import read
from worker.schedules.store import Schedules

SECONDS = 4.0  # longer than a lease
QUEUES = ("ready:urgent", "ready:normal", "ready:bulk", "rel:normal", "run:normal", "held", "expires")
BESIDE = (
    "templates_waiting",
    "tries",
    "possibly_sent",
    "groups",
    "count",
    "used",
    "signal",
    "outbox",
    "webhooks",
)
SHARED = (f"{CELERY}urgent", f"{CELERY}normal", f"{CELERY}intake", WORKERS, POISON)


def _answers(name: str, title: str, short: int = 0) -> None:
    def harm(trial: Trial) -> None:
        """Each time for longer than a lease, under load, with beat."""
        _two(trial)
        beat = trial.beat("beat")
        schedules = Schedules(RedisClient(trial.bed.valkey.url))
        schedules.add(
            read("pulse", {"every": "2s", "run": "send_text", "lane": "bulk", "payload": text_payload(0)})
        )
        pids = _pids(trial)
        trial.load(500 * trial.rounds, rate=80)
        for _ in range(trial.rounds):
            trial.wait_busy()
            time.sleep(trial.random.uniform(0.2, 1.0))
            with TROUBLES[name](trial.bed.valkey):
                time.sleep(SECONDS)
            before, runs = len(trial.calls()), schedules.get("pulse").runs
            wait_until(lambda before=before: len(trial.calls()) > before, 30, "calls are made again")
            wait_until(lambda runs=runs: schedules.get("pulse").runs > runs, 30, "beat goes on")
        trial.expect(beat.running, "beat ended")
        _same_processes(trial, pids)
        _add_pulses(trial, schedules)

    harm.__name__ = f"answers_{name.lower()}"
    fault(f"Redis answers {name}, {title}, for 4 s", rounds=5, short=short)(harm)


def _add_pulses(trial: Trial, schedules: Schedules) -> None:
    """What beat had made is judged too."""
    schedules.pause("pulse")
    trial.reader.settle_down(30)
    keys = trial.bed.redis.scan_iter(f"{prefix('default')}j:schedule.pulse.*", 1000)
    trial.accepted |= {f"ij1.default.{key.decode().rpartition(':')[2]}": "never" for key in keys}


for _name, _title, _short in (
    ("READONLY", "demoted", 1),
    ("NOREPLICAS", "too few replicas", 1),
    ("MISCONF", "its disk is full", 1),
    ("BUSY", "a slow script", 1),
):
    _answers(_name, _title, _short)


@fault("other types over the ledger's keys, and records that are none", rounds=20, short=4)
def wrong_types(trial: Trial) -> None:
    workers = _two(trial)
    pids = _pids(trial)
    client = trial.bed.redis
    trial.load(100 * trial.rounds, rate=120)
    for turn in range(trial.rounds):
        trial.wait_busy()
        queue, beside = trial.random.choice(QUEUES), trial.random.choice(BESIDE)
        for key in (
            f"{prefix('default')}{queue}",
            f"{prefix('default')}{beside}",
            trial.random.choice(SHARED),
        ):
            client.set(key, "somebody's")
        for number, raw in enumerate((None, "nonsense", "2|send_text|normal")):
            job_key = f"broken.{turn}.{number}"
            if raw is None:
                client.hset(f"{prefix('default')}j:{job_key}", "a", "b")
            else:
                client.set(f"{prefix('default')}j:{job_key}", raw)
            wait_until(lambda job_key=job_key: _place(trial, job_key), 30, "a queue is one again")
        time.sleep(trial.random.uniform(0.5, 1.0))
    # a call whose deadline was taken away is of unknown outcome if its worker has not ended it in time
    trial.bound += sum(worker.slots for worker in workers) * trial.rounds
    wait_until(lambda: not client.llen(f"{prefix('default')}astray"), 60, "all is named and put back")
    named = (trial.directory / "a.log").read_text() + (trial.directory / "b.log").read_text()
    for key in client.hkeys(f"{prefix('default')}aside"):
        trial.expect(
            f"{prefix('default')}{key.decode()}" in named, f"{key.decode()} was set aside and not named"
        )
    broken = sum(key.startswith(b"j:broken.") for key in client.hkeys(f"{prefix('default')}aside"))
    trial.expect(broken == 3 * trial.rounds, f"{broken} of {3 * trial.rounds} broken records were set aside")
    _same_processes(trial, pids)


def _place(trial: Trial, job_key: str) -> bool:
    """Put a broken record where the next worker meets it."""
    key = prefix("default").encode() + b"ready:normal"
    if trial.bed.redis.type(key) not in (b"zset", b"none"):
        return False
    return bool(trial.bed.redis.zadd(key, {job_key: 1}) or True)
