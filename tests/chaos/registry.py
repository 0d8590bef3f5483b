"""The faults: functions that do harm to a trial, each with its number of rounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.chaos.bed import Trial

Harm = Callable[[Trial], None]


@dataclass(frozen=True)
class Fault:
    """``rounds`` in the full run, ``short`` in the short one (0: left out).

    A mutation breaks the worker on purpose: the oracle ``must`` report an error that begins so.
    """

    name: str
    title: str
    rounds: int
    short: int
    harm: Harm
    must: str = ""


FAULTS: dict[str, Fault] = {}


def fault(title: str, *, rounds: int, short: int = 0, must: str = "") -> Callable[[Harm], Harm]:
    """Register a function under its own name."""

    def register(harm: Harm) -> Harm:
        name = harm.__name__
        FAULTS[name] = Fault(name, title, rounds, short, harm, must)
        return harm

    return register
