"""Deploys: SIGTERM under load while the new worker already runs, and an impatient second one."""

from __future__ import annotations

import signal
import time

from tests.chaos.bed import Trial
from tests.chaos.registry import fault


def _deploy(trial: Trial, pool: str, slots: int) -> None:
    """A new worker comes up, the old one goes: nothing may be lost, doubled or doubtful."""
    trial.latency()
    old = trial.worker("v0", pool=pool, slots=slots)
    load = trial.load(rate=100)
    for turn in range(1, trial.rounds + 1):
        load.more(100)
        new = trial.worker(f"v{turn % 10}", pool=pool, slots=slots)
        load.more(100)
        trial.wait_busy()
        time.sleep(trial.random.uniform(0, 0.3))
        trial.supervisor.release(old)
        took = old.stop()
        trial.expect(took <= 20, f"a worker took {took:.1f} s to end, its calls have a deadline of 1 s")
        old = new


@fault("deploys under load, threads", rounds=30, short=2)
def deploy_threads(trial: Trial) -> None:
    _deploy(trial, "threads", 8)


@fault("deploys under load, prefork", rounds=20, short=1)
def deploy_prefork(trial: Trial) -> None:
    _deploy(trial, "prefork", 4)


@fault("a second SIGTERM during shutdown, slow calls", rounds=8)
def second_sigterm(trial: Trial) -> None:
    trial.latency(300, 600)
    trial.worker("steady")
    load = trial.load(rate=20)
    for turn in range(trial.rounds):
        victim = trial.worker("hasty")
        load.more(40)
        trial.wait_busy(2)
        trial.supervisor.release(victim)
        victim.signal(signal.SIGTERM)
        time.sleep(0.1)
        victim.signal(signal.SIGTERM if turn % 2 else signal.SIGQUIT)
        victim.stop()
        trial.bound += victim.slots
