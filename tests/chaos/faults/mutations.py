"""The oracle's own test: break the worker on purpose, and every one of these must be caught."""

from __future__ import annotations

import time

from interakt_jobs.ledger.keys import prefix
from tests.chaos.bed import Trial
from tests.chaos.faults.receipts import send
from tests.chaos.processes import wait_until
from tests.chaos.registry import fault


def _kill_mutant(trial: Trial, mutation: str) -> None:
    if mutation == "no_reaper":
        trial.quiet_seconds = 12  # what it must leave behind does not move
    trial.latency(80, 160)
    worker = trial.worker("a", app="tests.chaos.mutant:app", env={"CHAOS_MUTATION": mutation})
    load = trial.load(rate=80, mix="after_hold")
    for _ in range(trial.rounds):
        trial.wait_ready(worker)
        load.more(150)
        trial.wait_busy(2)
        time.sleep(0.3)
        worker.kill()
        trial.bound += worker.slots


@fault("mutation: no reaper (must be caught)", rounds=3, short=1, must="(1) not ended")
def no_reaper(trial: Trial) -> None:
    _kill_mutant(trial, "no_reaper")


@fault("mutation: sent_at is not written (must be caught)", rounds=3, short=2, must="(3) accepted")
def no_sent_at(trial: Trial) -> None:
    _kill_mutant(trial, "no_sent_at")


@fault("mutation: everything marked ambiguous (must be caught)", rounds=3, short=1, must="(9)")
def all_ambiguous(trial: Trial) -> None:
    _kill_mutant(trial, "all_ambiguous")


@fault("mutation: the budget lets everything pass (must be caught)", rounds=1, must="(7)")
def no_budget(trial: Trial) -> None:
    trial.worker("a", app="tests.chaos.mutant:app", env={"CHAOS_MUTATION": "no_budget"}, slots=16)
    trial.load(3000)


@fault("mutation: an end is told before its receipt (must be caught)", rounds=1, must="(11)")
def ended_twice(trial: Trial) -> None:
    send(trial, 0.2, jobs=100, mutation="ended_twice", delay_ms=[1500, 2000])
    wait_until(lambda: not trial.bed.redis.zcard(f"{prefix('default')}dead"), 60, "every receipt has come")
