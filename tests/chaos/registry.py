"""The faults: functions that do harm to a trial, each with its number of rounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.chaos.bed import Trial

Harm = Callable[[Trial], None]


@dataclass(frozen=True)
class Fault:
    """``rounds`` in the full run, ``short`` in the short one (0: left out). A ``mutation`` must be caught."""

    name: str
    title: str
    rounds: int
    short: int
    harm: Harm
    mutation: bool = False


FAULTS: dict[str, Fault] = {}


def fault(title: str, *, rounds: int, short: int = 0, mutation: bool = False) -> Callable[[Harm], Harm]:
    """Register a function under its own name."""

    def register(harm: Harm) -> Harm:
        name = harm.__name__
        FAULTS[name] = Fault(name, title, rounds, short, harm, mutation)
        return harm

    return register
