"""A producer in a process of its own: accepts jobs and writes each id down the moment its call has returned.

``python -m tests.chaos.load --redis URL --out FILE --jobs N --rate PER_SECOND --seed S --mix NAME``. A line
of the file is ``id TAB policy TAB lane TAB epoch seconds``, or ``?`` for each job of a call that failed: it
may exist all the same; ``!name`` for an exception that the package does not declare.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from interakt_jobs import JobError, configure, send_text
from interakt_jobs.options import Lane, Repeat
from tests.chaos.processes import ROOT

POLICIES: dict[str, tuple[Repeat, ...]] = {
    "mixed": ("after_hold", "after_hold", "never", "always"),
    "after_hold": ("after_hold",),
    "never": ("never",),
    "always": ("always",),
    "urgent": ("after_hold",),
    "sends": ("after_hold", "after_hold", "never"),
}
LANES: dict[str, tuple[Lane, ...]] = {
    "mixed": ("normal", "normal", "normal", "urgent", "bulk"),
    "urgent": ("urgent",),
    "sends": ("normal", "normal", "urgent", "bulk"),
}
CHUNK = 20


def text_payload(number: int) -> Any:
    """A message with nothing in it but its number."""
    return {
        "countryCode": "+91",
        "phoneNumber": "9999999999",
        "type": "Text",
        "data": {"message": f"message {number}"},
    }


class Producer:
    """Accepts ``jobs`` jobs in ways that real applications use: one by one, with a key, many at once."""

    def __init__(self, out: int, seed: int, mix: str) -> None:
        self.out, self.random, self.seed = out, random.Random(seed), seed
        self.policies = POLICIES[mix]
        self.lanes = LANES.get(mix, ("normal",))

    def run(self, jobs: int, rate: float) -> None:
        began, number = time.monotonic(), 0
        while number < jobs:
            size = min(CHUNK, jobs - number) if self.random.random() < 0.05 else 1
            lines = self._many(number, size) if size > 1 else self._one(number)
            os.write(self.out, "".join(line + "\n" for line in lines).encode())
            number += size
            if rate:
                time.sleep(max(0.0, began + number / rate - time.monotonic()))

    def _one(self, number: int) -> list[str]:
        policy, lane = self.random.choice(self.policies), self.random.choice(self.lanes)
        key = f"chaos-{self.seed}-{number}" if self.random.random() < 0.5 else None
        for _ in range(200):
            try:
                job = send_text.delay(text_payload(number), repeat=policy, lane=lane, idempotency_key=key)
                return [f"{job.id}\t{policy}\t{lane}\t{time.time():.3f}"]
            except JobError:
                if key is None:
                    return ["?"]
                time.sleep(0.1)
            except Exception as error:
                return ["?", f"!{type(error).__name__}"]
        return ["?"]

    def _many(self, number: int, size: int) -> Iterator[str] | list[str]:
        policy, lane = self.random.choice(self.policies), self.random.choice(self.lanes)
        payloads = [text_payload(number + i) for i in range(size)]
        try:
            found = list(send_text.delay_many(payloads, lane=lane, repeat=policy))
        except JobError:
            return ["?"] * size
        except Exception as error:
            return ["?"] * size + [f"!{type(error).__name__}"]
        now = time.time()
        return [f"{each.job.id}\t{policy}\t{lane}\t{now:.3f}" for each in found if each.job is not None]


@dataclass
class Load:
    """A running producer process, seen from the test."""

    process: subprocess.Popen[bytes]
    out: Path
    jobs: int
    _seen: int = field(default=0)

    @classmethod
    def start(
        cls, redis_url: str, out: Path, jobs: int, *, rate: float, seed: int, mix: str = "mixed"
    ) -> Load:
        """``rate`` is jobs a second, 0 for as fast as it goes."""
        command = [
            sys.executable, "-m", "tests.chaos.load", "--redis", redis_url, "--out", str(out),
            "--jobs", str(jobs), "--rate", str(rate), "--seed", str(seed), "--mix", mix,
        ]  # fmt: skip
        out.touch()
        return cls(subprocess.Popen(command, cwd=ROOT, start_new_session=True), out, jobs)

    @property
    def going(self) -> bool:
        return self.process.poll() is None

    def wait(self, timeout: float) -> None:
        """Until it has ended; raises ``RuntimeError`` when it failed."""
        code = self.process.wait(timeout)
        if code:
            raise RuntimeError(f"a producer ended with {code}")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def rows(self) -> list[list[str]]:
        """``[id, policy, lane, accepted at]`` of each accepted job so far."""
        text = self.out.read_text()
        lines = text[: text.rfind("\n") + 1].splitlines()
        return [line.split("\t") for line in lines if line and line[0] not in "?!"]

    def accepted(self) -> dict[str, str]:
        return {row[0]: row[1] for row in self.rows()}

    def undeclared(self) -> set[str]:
        """Exceptions that no caller would think of catching."""
        return {line[1:] for line in self.out.read_text().splitlines() if line.startswith("!")}

    def uncertain(self) -> int:
        return self.out.read_text().splitlines().count("?")


def main() -> None:
    """The producer process."""
    parser = argparse.ArgumentParser()
    for name, kind in (
        ("redis", str),
        ("out", str),
        ("jobs", int),
        ("rate", float),
        ("seed", int),
        ("mix", str),
    ):
        parser.add_argument(f"--{name}", type=kind, required=True)
    given = parser.parse_args()
    configure(given.redis, allow_unregistered=True)
    out = os.open(given.out, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    Producer(out, given.seed, given.mix).run(given.jobs, given.rate)


if __name__ == "__main__":
    main()
