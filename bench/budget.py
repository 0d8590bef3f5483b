"""``python -m bench.budget``: how exactly the limit is used from 1 to 64 processes, and how long an OTP waits.

Cases of a group run side by side (a call each 100 ms leaves the machine idle), groups one after the other. What is used,
the most calls in a window and all waits come from the sandbox's record of arrivals.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import budget_baselines, budget_page, machine
from bench.allowance import Case, run
from bench.budget_baselines import Limit
from bench.processes import ROOT

SECOND, SLOW, FAST = Limit(50, 1), Limit(300, 60), Limit(600, 60)
RESULTS = ROOT / "bench" / "budget.json"
MILLION = 1_000_000
Groups = dict[str, tuple[int, list[Case]]]


def groups(quick: bool) -> Groups:
    """By name: how many cases run at once, and the cases."""
    if quick:
        return {
            "minute": (2, [Case(limit, 2, 40, 2_000) for limit in (SLOW, FAST)]),
            "second": (1, [Case(SECOND, number, 10, 3_000) for number in (1, 8)]),
            "urgent": (2, [Case(FAST, 2, 40, bulk, 0.1) for bulk in (0, 20_000)]),
            "stall": (1, [Case(SECOND, 4, 25, 5_000, stall=10)]),
        }
    both = (SLOW, FAST)
    return {
        "minute": (8, [Case(limit, number, 100, 5_000) for limit in both for number in (1, 2, 8, 16)]),
        "minute-64": (1, [Case(limit, 64, 70, 5_000) for limit in both]),
        "second": (1, [Case(SECOND, number, 20, 6_000) for number in (1, 2, 8, 16, 64)]),
        "urgent": (
            8,
            # at 300 a minute a share of 10 % is 30 jobs a minute: a p99 needs the longer run
            [
                Case(limit, 2, 400 if limit is SLOW else 200, MILLION, share)
                for limit in both
                for share in (0.1, 0.2, 0.3, 0.5)
            ],
        ),
        "urgent-alone": (
            6,
            [Case(limit, 2, 90, 0, share) for limit in both for share in (0.1, 0.5)]
            + [Case(limit, 4, 90, 5_000, 0.1, hang=19) for limit in both],
        ),
        "stall": (
            3,
            [Case(limit, 4, 120, 5_000, stall=30) for limit in both] + [Case(SECOND, 4, 60, 6_000, stall=30)],
        ),
    }


def measured(at_once: int, cases: list[Case]) -> Iterator[dict[str, Any]]:
    """Run a group; a case that fails is told and left out."""
    with ThreadPoolExecutor(at_once) as pool:
        for case, running in [(case, pool.submit(run, case)) for case in cases]:
            try:
                yield row(running.result())
            except (RuntimeError, TimeoutError, OSError) as failure:
                print(f"{case.plan} {case.processes} processes failed: {failure}", file=sys.stderr)


def row(case: Case) -> dict[str, Any]:
    return {
        "plan": case.plan,
        "limit": case.limit.calls,
        "processes": case.processes,
        "seconds": case.seconds,
        "bulk": case.bulk,
        "urgent_share": case.urgent,
        "hang": case.hang,
        "stall": case.stall,
        **{name: float(f"{value:.5g}") for name, value in case.figures.items()},
    }


def main(arguments: list[str] | None = None) -> int:
    made = argparse.ArgumentParser(
        prog="python -m bench.budget",
        description="How exactly the limit is used, and how long the urgent lane waits.",
        epilog="example: python -m bench.budget --only second,stall",
    )
    made.add_argument("--quick", action="store_true", help="short cases, 3 minutes; writes no file")
    made.add_argument("--only", help=f"comma separated: {', '.join(groups(False))}, baselines")
    made.add_argument("--json", type=Path, default=RESULTS, help="write, or renew, the figures here")
    options = made.parse_args(arguments)
    wanted = groups(options.quick)
    names = [*wanted, *([] if options.quick else ["baselines"])]
    chosen = options.only.split(",") if options.only else names
    if unknown := set(chosen) - set(names):
        made.error(f"unknown: {', '.join(sorted(unknown))}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    results: dict[str, Any] = json.loads(options.json.read_text()) if options.json.exists() else {}
    for name in chosen:
        began, rows = time.monotonic(), []
        measurements = (
            budget_baselines.table(SECOND, [1, 2, 8, 16], 10)
            if name == "baselines"
            else measured(*wanted[name])
        )
        for found in measurements:
            rows.append(found)
            print(budget_page.shown(found), flush=True)
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)
        results[name] = {
            "date": datetime.now(UTC).date().isoformat(),
            "machine": machine.describe(),
            "rows": rows,
        }
        if not options.quick:
            options.json.write_text(json.dumps(results, indent=1) + "\n")
            budget_page.write(results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
