"""Time goes wrong: clocks an hour off, a worker frozen past its lease."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from tests.chaos.bed import Trial
from tests.chaos.registry import fault

SHIM = str(Path(__file__).resolve().parent.parent / "skew")


@fault("clocks an hour ahead and an hour behind, a kill", rounds=2, short=1)
def clock_skew(trial: Trial) -> None:
    trial.latency()
    ahead = trial.worker("ahead", env={"PYTHONPATH": SHIM, "CHAOS_SKEW_SECONDS": "3600"})
    trial.worker("behind", env={"PYTHONPATH": SHIM, "CHAOS_SKEW_SECONDS": "-3600"})
    load = trial.load(rate=100)
    for _ in range(trial.rounds):
        trial.wait_ready(ahead)
        load.more(400)
        trial.wait_busy()
        time.sleep(1)
        ahead.kill()
        trial.bound += ahead.slots


@fault("SIGSTOP of a worker past its lease, then SIGCONT", rounds=6, short=1)
def frozen_worker(trial: Trial) -> None:
    trial.latency()
    frozen = trial.worker("frozen")
    trial.worker("b")
    load = trial.load(rate=80)
    for _ in range(trial.rounds):
        load.more(500)
        trial.wait_busy()
        time.sleep(trial.random.uniform(0.2, 0.6))
        frozen.signal(signal.SIGSTOP)
        time.sleep(trial.random.uniform(3.5, 7))
        frozen.signal(signal.SIGCONT)
        trial.bound += frozen.slots
        time.sleep(1)
