"""One case of the budget's bench: workers against a sandbox that counts, and what its record says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from bench.arrivals import judge, percentile, waits
from bench.budget_baselines import Limit
from bench.processes import ROOT
from sandbox.stack import Stack

TEXT = {"countryCode": "+91", "phoneNumber": "9999999999", "type": "Text", "data": {"message": "Hello"}}
FILL = """
import sys
from collections import deque
from itertools import repeat
from interakt_jobs import configure, send_text
configure(sys.argv[1], allow_unregistered=True)
deque(send_text.delay_many(repeat({text}, int(sys.argv[2]))), maxlen=0)
"""


@dataclass
class Case:
    """What is run: ``processes`` workers on one account of ``limit``, with ``bulk`` jobs waiting.

    ``urgent`` is the share of the allowance that arrives at random in the urgent lane. ``hang`` seconds each bulk call
    takes. ``stall`` seconds all workers are stopped (SIGSTOP) in the middle of ``seconds``.
    """

    limit: Limit
    processes: int
    seconds: float
    bulk: int
    urgent: float = 0.0
    hang: float = 0.0
    stall: float = 0.0
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def plan(self) -> str:
        """The limit in words: ``600/min``."""
        return f"{self.limit.calls}/{'min' if self.limit.window == 60 else f'{self.limit.window} s'}"


def run(case: Case) -> Case:
    """Run a case and fill in its figures; raises ``RuntimeError`` or ``TimeoutError`` when a worker ends."""
    per_minute = round(case.limit.calls * 60 / case.limit.window)
    env = {"INTERAKT_WINDOW_SECONDS": str(case.limit.window)}
    stack = Stack(
        calls_per_minute=per_minute, env=env, window_seconds=case.limit.window, relaxed=True, keep_bodies=0
    )
    with stack:
        if case.hang:
            stack.sandbox.faults(latency_ms=1000 * case.hang, only_operations=["send_text"])
        if case.bulk:
            fill = [
                sys.executable,
                "-c",
                FILL.replace("{text}", repr(TEXT)),
                stack.valkey.url,
                str(case.bulk),
            ]
            subprocess.run(fill, cwd=ROOT, env=stack.environment, check=True)
        _start(stack, case.processes)
        time.sleep(3.0)
        begin = time.time()
        producer = _urgent(stack, case) if case.urgent else None
        if case.stall:
            time.sleep(case.seconds / 2 - case.stall / 2)
            _signal(stack, signal.SIGSTOP)
            time.sleep(case.stall)
            _signal(stack, signal.SIGCONT)
        time.sleep(max(0.0, begin + case.seconds - time.time()))
        end = time.time()
        called = json.loads(producer.communicate(timeout=30)[0]) if producer else {}
        if called:
            _arrived(stack, called)
        for name, process in stack.processes.items():
            if process.poll() is not None:
                raise RuntimeError(f"{name} ended:\n{stack.tail(name)}")
        calls = stack.sandbox.arrivals()
    accepted = [call.arrived for call in calls if call.accepted or case.hang]
    refused = [call.arrived for call in calls if call.status == 429]
    verdict = judge(accepted, refused, case.limit.calls, case.limit.window, begin, end)
    waited = waits(called, {call.job: call.arrived for call in calls if call.job})
    case.figures = verdict._asdict() | {
        "calls": len(calls),
        "urgent": len(waited),
        "urgent_missing": len(called) - len(waited),
        "urgent_p50_ms": 1000 * percentile(waited, 0.5),
        "urgent_p99_ms": 1000 * percentile(waited, 0.99),
        "urgent_max_ms": 1000 * max(waited, default=0.0),
    }
    return case


def _start(stack: Stack, number: int) -> None:
    """One process serves all lanes; of more, one half serves urgent and normal, the other bulk. Eight at a time."""
    for index in range(number):
        if number == 1:
            stack.worker("all", "urgent,normal,bulk", concurrency=96)
        elif index % 2:
            stack.bulk(f"bulk{index}", concurrency=96)
        else:
            stack.worker(f"worker{index}", "urgent,normal", concurrency=32)
        if index % 8 == 7 or index == number - 1:
            stack.wait_for_workers(index + 1, timeout=120)


def _urgent(stack: Stack, case: Case) -> subprocess.Popen[bytes]:
    rate = case.urgent * case.limit.calls / case.limit.window
    command = [sys.executable, "-m", "bench.poisson", stack.valkey.url, str(rate), str(case.seconds)]
    return subprocess.Popen(command, cwd=ROOT, env=stack.environment, stdout=subprocess.PIPE)


def _arrived(stack: Stack, called: dict[str, float], patience: float = 20.0) -> None:
    end = time.monotonic() + patience
    while time.monotonic() < end and called.keys() - {call.job for call in stack.sandbox.arrivals()}:
        time.sleep(0.5)


def _signal(stack: Stack, number: signal.Signals) -> None:
    for process in stack.processes.values():
        os.kill(process.pid, number)
