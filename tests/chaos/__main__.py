"""``python -m tests.chaos``: try every fault and judge each; exit status 1 when an invariant is broken."""

from __future__ import annotations

import argparse
import random
import sys
import time

from tests.chaos import faults, report
from tests.chaos.bed import Bed
from tests.chaos.oracle import Verdict
from tests.chaos.registry import FAULTS, Fault
from tests.chaos.report import Row


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    made.add_argument("--seed", type=int, default=None, help="repeat a run (its seed is printed)")
    made.add_argument("--only", default="", metavar="NAME,...", help="only these; see --list")
    made.add_argument("--short", action="store_true", help="the selection that `make test` runs")
    made.add_argument(
        "--rounds", type=int, default=0, help="so many rounds of each instead of its own number"
    )
    made.add_argument("--keep", action="store_true", help="keep the workers' logs and say where")
    made.add_argument("--no-baseline", action="store_true", help="leave out the same load on plain Celery")
    made.add_argument("--list", action="store_true", help="print the names and leave")
    return made


def chosen(only: str, short: bool) -> list[Fault]:
    """The faults asked for; raises ``SystemExit`` for a name that is none."""
    names = [name for name in only.split(",") if name]
    if unknown := [name for name in names if name not in FAULTS]:
        raise SystemExit(f"no such fault: {', '.join(unknown)}; see --list")
    wanted = [FAULTS[name] for name in names] if names else list(FAULTS.values())
    return [fault for fault in wanted if names or not short or fault.short]


def run(bed: Bed, fault: Fault, rounds: int) -> Row:
    """One fault from a clean start to its verdict."""
    began = time.monotonic()
    with bed.trial(fault.name, rounds) as trial:
        try:
            fault.harm(trial)
            verdict = trial.verdict()
        except Exception as error:
            verdict = Verdict(errors=[f"{type(error).__name__}: {error}"])
    if not fault.must:
        return Row(fault.title, rounds, verdict, time.monotonic() - began, verdict.ok)
    caught = any(error.startswith(fault.must) for error in verdict.errors)
    word = "caught" if caught else "MISSED"
    return Row(fault.title, rounds, verdict, time.monotonic() - began, caught, word)


def main(arguments: list[str]) -> int:
    """Run what was asked for; the exit status."""
    given = parser().parse_args(arguments)
    faults.load_all()
    if given.list:
        for fault in FAULTS.values():
            print(f"{fault.name:34} {fault.title}")
        return 0
    wanted = chosen(given.only, given.short)
    seed = random.SystemRandom().randrange(1 << 31) if given.seed is None else given.seed
    print(f"seed {seed}", flush=True)
    bed, rows = Bed(seed), []
    report.head()
    try:
        for fault in wanted:
            rounds = given.rounds or (given.short and fault.short) or fault.rounds
            rows.append(run(bed, fault, rounds))
            report.line(rows[-1])
    finally:
        bed.close(given.keep)
    report.total(rows)
    if given.keep:
        print(f"logs: {bed.directory}")
    if not given.no_baseline and not given.only and not given.short:
        from tests.chaos.baseline_celery import main as baseline

        baseline(["--seed", str(seed)])
    bad = [row.title for row in rows if not row.passed]
    if bad:
        print(f"FAILED: {'; '.join(bad)}. Repeat with --seed {seed}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
