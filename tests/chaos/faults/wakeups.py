"""Wake-ups lost and repeated: they are only hints."""

from __future__ import annotations

import json
import signal
import time
import uuid

from interakt_jobs.ledger.keys import CELERY
from tests.chaos.bed import Trial
from tests.chaos.registry import fault

LISTS = [f"{CELERY}{lane}" for lane in ("urgent", "normal", "bulk")]


def wake_message(
    job_keys: list[object], version: object = 1, account: object = "default", task: str = "interakt.wake"
) -> str:
    """A wake-up as Celery would publish it."""
    return json.dumps(
        {
            "body": json.dumps([[version, account, job_keys], {}, {}]),
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": {"lang": "py", "task": task, "id": str(uuid.uuid4()), "retries": 0},
            "properties": {
                "delivery_mode": 2, "delivery_info": {"exchange": "", "routing_key": "normal"}, "priority": 0,
                "delivery_tag": str(uuid.uuid4()), "body_encoding": "utf-8",
            },
        }
    )  # fmt: skip


@fault("wake-ups deleted from the queues", rounds=6, short=1)
def wakeups_lost(trial: Trial) -> None:
    trial.latency()
    trial.worker("dispatcher", queues="bulk", slots=2)
    deaf = trial.worker("deaf", queues="urgent,normal,intake")
    load = trial.load(rate=100)
    deleted = 0
    for _ in range(trial.rounds):
        load.more(300)
        trial.wait_busy()
        deaf.signal(signal.SIGSTOP)
        end = time.monotonic() + 0.7
        while time.monotonic() < end:
            for name in LISTS:
                deleted += trial.bed.redis.llen(name)
                trial.bed.redis.delete(name)
            time.sleep(0.01)
        deaf.signal(signal.SIGCONT)
        time.sleep(1)
    trial.expect(deleted > 0, "no wake-up was there to be deleted")


@fault("every job woken five times over", rounds=4, short=1)
def wakeups_doubled(trial: Trial) -> None:
    trial.latency()
    trial.worker("a")
    trial.worker("b")
    load = trial.load(300 * trial.rounds, rate=100)
    woken = 0
    while load.going:
        job_keys: list[object] = [row[0].split(".", 2)[2] for row in load.rows()[woken:]]
        woken += len(job_keys)
        for lane in LISTS:
            for _ in range(5):
                trial.bed.redis.lpush(lane, wake_message(job_keys))
        time.sleep(0.05)
