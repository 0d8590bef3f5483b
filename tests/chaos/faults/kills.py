"""SIGKILL: the main process, a prefork child, a whole machine, the dispatcher."""

from __future__ import annotations

import contextlib
import os
import signal
import time

from interakt_jobs.ledger.keys import prefix
from tests.chaos.bed import Trial
from tests.chaos.load import Load
from tests.chaos.processes import Worker
from tests.chaos.registry import fault

SLOTS = 8
PER_KILL = 250


def _kill_busy(trial: Trial, victims: list[Worker], load: Load, whole: bool) -> None:
    """Kill each in turn, always while calls are in flight."""
    for turn in range(trial.rounds):
        victim = victims[turn % len(victims)]
        trial.wait_ready(victim)
        load.more(PER_KILL)
        trial.wait_busy()
        time.sleep(trial.random.uniform(0, 0.4))
        victim.kill(whole)
        trial.bound += victim.slots


@fault("kill -9 of a busy worker, threads", rounds=100, short=4)
def kill_threads(trial: Trial) -> None:
    trial.latency()
    victims = [trial.worker(name, slots=SLOTS) for name in ("a", "b")]
    _kill_busy(trial, victims, trial.load(rate=150), whole=False)


@fault("kill -9 of the main process, prefork", rounds=40, short=2)
def kill_prefork_main(trial: Trial) -> None:
    trial.latency()
    victims = [trial.worker(name, pool="prefork", slots=4) for name in ("a", "b")]
    _kill_busy(trial, victims, trial.load(rate=100), whole=False)


@fault("kill -9 of main process and children at once, prefork", rounds=20)
def kill_prefork_machine(trial: Trial) -> None:
    trial.latency()
    victims = [trial.worker(name, pool="prefork", slots=4) for name in ("a", "b")]
    _kill_busy(trial, victims, trial.load(rate=100), whole=True)


@fault("kill -9 of a busy child, prefork", rounds=40, short=4)
def kill_prefork_child(trial: Trial) -> None:
    trial.latency()
    worker = trial.worker("a", pool="prefork", slots=4)
    load = trial.load(rate=100)
    for _ in range(trial.rounds):
        load.more(PER_KILL)
        trial.wait_busy()
        time.sleep(trial.random.uniform(0.2, 0.6))
        with contextlib.suppress(ProcessLookupError):
            os.kill(trial.random.choice(worker.children()), signal.SIGKILL)
        trial.bound += 1


@fault("kill -9 of the dispatcher, real timers: urgent jobs late by at most 3 s", rounds=6, short=1)
def kill_pacer(trial: Trial) -> None:
    trial.latency()
    timers = {"INTERAKT_LEASE_SECONDS": "30", "INTERAKT_RELEASE_SECONDS": "10"}
    pacers = [trial.worker(name, queues="bulk", slots=4, env=timers) for name in ("p", "q")]
    trial.worker("urgent", queues="urgent,normal,intake", env=timers)
    load = trial.load(60, rate=20, mix="urgent")
    load.wait_made()
    trial.reader.settle_down()
    usual = _worst_wait(trial, load)  # of this machine, with nothing killed
    for turn in range(trial.rounds):
        victim = pacers[turn % 2]
        trial.wait_ready(victim)
        load.more(120)
        _wait_for_lead(trial, victim, [*pacers, trial.supervisor.workers[-1]])
        trial.supervisor.release(victim)
        victim.kill()
        time.sleep(4)
        trial.supervisor.add(victim)
    load.wait()
    trial.reader.settle_down()
    worst = _worst_wait(trial, load)
    trial.expect(
        worst <= 3.0 + 10 * usual, f"an urgent job waited {worst:.2f} s for its call, usual are {usual:.2f}"
    )


def _worst_wait(trial: Trial, load: Load) -> float:
    """The most seconds from an accept to the job's first call."""
    first: dict[str, float] = {}
    for call in trial.calls():
        first.setdefault(call.job, call.at)
    return max((first[row[0]] - float(row[3]) for row in load.rows() if row[0] in first), default=0.0)


def _wait_for_lead(trial: Trial, wanted: Worker, all_of_them: list[Worker]) -> None:
    """Give ``wanted`` the dispatcher's lease: the others are frozen until theirs has run out."""
    for other in all_of_them:
        if other is not wanted:
            other.signal(signal.SIGSTOP)
    trial.bed.redis.delete(f"{prefix('default')}dispatcher")
    time.sleep(1.2)
    for other in all_of_them:
        other.signal(signal.SIGCONT)
    time.sleep(0.3)
