"""No fault at all: nothing may be ambiguous, and the limit is used to the full."""

from __future__ import annotations

from tests.chaos.bed import Trial
from tests.chaos.registry import fault


@fault("no fault, two workers, mixed lanes", rounds=1, short=1)
def no_fault(trial: Trial) -> None:
    trial.latency()
    trial.worker("a")
    trial.worker("b")
    trial.load(1500)
