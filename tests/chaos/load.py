"""A producer in a process of its own: accepts jobs and writes each id down the moment its call has returned.

``python -m tests.chaos.load --redis URL --out FILE --rate PER_SECOND --seed S --mix NAME``. Each line of its input is a
number of jobs to make; it ends with its input. With a rate it also waits while the workers are ``BACKLOG_SECONDS``
behind: a slow machine is offered what it can do. A line of the file is ``id TAB policy TAB lane TAB epoch seconds``,
or ``?`` for each job of a call that failed: it
may exist all the same; ``!name`` for an exception that the package does not declare.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis

from interakt_jobs import JobError, configure, send_text
from interakt_jobs.ledger.keys import prefix
from interakt_jobs.options import Lane, Repeat
from tests.chaos.processes import ROOT
from tests.waiting import Patience

POLICIES: dict[str, tuple[Repeat, ...]] = {
    "mixed": ("after_hold", "after_hold", "never", "always"),
    "after_hold": ("after_hold",),
    "never": ("never",),
    "always": ("always",),
    "urgent": ("after_hold",),
    "sends": ("after_hold", "after_hold", "never"),
}
LANE_NAMES: tuple[Lane, ...] = ("urgent", "normal", "bulk")
LANES: dict[str, tuple[Lane, ...]] = {
    "mixed": ("normal", "normal", "normal", "urgent", "bulk"),
    "urgent": ("urgent",),
    "sends": ("normal", "normal", "urgent", "bulk"),
}
TOLD = "nobody.listens"  # what it would be told stays in the ledger, for the oracle
CHUNK = 20
BACKLOG_SECONDS = 5


def text_payload(number: int) -> Any:
    """A message with nothing in it but its number."""
    return {
        "countryCode": "+91",
        "phoneNumber": "9999999999",
        "type": "Text",
        "data": {"message": f"message {number}"},
    }


class Producer:
    """Accepts jobs in ways that real applications use: one by one, with a key, many at once."""

    def __init__(self, redis_url: str, out: int, seed: int, mix: str) -> None:
        self.redis: Any = redis.Redis.from_url(redis_url, socket_timeout=5)
        self.made = 0
        self.out, self.random, self.seed = out, random.Random(seed), seed
        self.policies = POLICIES[mix]
        self.lanes = LANES.get(mix, ("normal",))

    def run(self, jobs: int, rate: float) -> None:
        """Make so many more; ``rate`` a second at most, 0 for as fast as it goes."""
        last, due = self.made + jobs, time.monotonic()
        while self.made < last:
            size = min(CHUNK, last - self.made) if self.random.random() < 0.05 else 1
            lines = self._many(self.made, size) if size > 1 else self._one(self.made)
            os.write(self.out, "".join(line + "\n" for line in lines).encode())
            self.made += size
            if rate:
                if self.made % round(rate) < size:
                    self._let_drain(round(rate * BACKLOG_SECONDS))
                due = max(
                    due + size / rate, time.monotonic() - 1
                )  # what a stall has held up is not made in a burst
                time.sleep(max(0.0, due - time.monotonic()))

    def _let_drain(self, most: int) -> None:
        """Wait while more than ``most`` jobs are ready, unless they get no fewer: then it is no matter of speed."""
        patience = Patience(still=5)
        with contextlib.suppress(redis.RedisError):
            while (
                ready := sum(self.redis.zcard(f"{prefix('default')}ready:{lane}") for lane in LANE_NAMES)
            ) > most:
                if patience.over(ready):
                    return
                time.sleep(0.1)

    def _one(self, number: int) -> list[str]:
        policy, lane = self.random.choice(self.policies), self.random.choice(self.lanes)
        key = f"chaos-{self.seed}-{number}" if self.random.random() < 0.5 else None
        for _ in range(200):
            try:
                job = send_text.delay(
                    text_payload(number), repeat=policy, lane=lane, idempotency_key=key, on_done=TOLD
                )
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
            found = list(send_text.delay_many(payloads, lane=lane, repeat=policy, on_done=TOLD))
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
    asked: int = 0
    _read: list[str] = field(default_factory=list)
    _at: int = 0

    @classmethod
    def start(
        cls, redis_url: str, out: Path, jobs: int, *, rate: float, seed: int, mix: str = "mixed"
    ) -> Load:
        """``rate`` is jobs a second at most, 0 for as fast as it goes."""
        command = [
            sys.executable, "-m", "tests.chaos.load", "--redis", redis_url, "--out", str(out),
            "--rate", str(rate), "--seed", str(seed), "--mix", mix,
        ]  # fmt: skip
        out.touch()
        process = subprocess.Popen(command, cwd=ROOT, start_new_session=True, stdin=subprocess.PIPE)
        made = cls(process, out)
        made.more(jobs)
        return made

    def more(self, jobs: int) -> None:
        """Ask for so many more jobs."""
        assert self.process.stdin is not None
        self.asked += jobs
        self.process.stdin.write(f"{jobs}\n".encode())
        self.process.stdin.flush()

    @property
    def made(self) -> int:
        """Jobs accepted or refused so far."""
        return sum(not line.startswith("!") for line in self._lines())

    @property
    def going(self) -> bool:
        """Whether it runs and has jobs to make."""
        return self.process.poll() is None and self.made < self.asked

    def wait_made(self, still: float = 120.0) -> None:
        """Until it has made all that was asked for; raises ``RuntimeError`` when it makes none for ``still`` seconds."""
        patience = Patience(still)
        while self.going:
            if why := patience.over(self.asked - self.made):
                raise RuntimeError(f"a producer has made {self.made} of {self.asked} jobs: {why}")
            time.sleep(0.05)

    def wait(self) -> None:
        """Until it has made all and ended; raises ``RuntimeError`` when it failed."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.wait_made()
        if code := self.process.wait(120):
            raise RuntimeError(f"a producer ended with {code}")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def rows(self) -> list[list[str]]:
        """``[id, policy, lane, accepted at]`` of each accepted job so far."""
        return [line.split("\t") for line in self._lines() if line[0] not in "?!"]

    def accepted(self) -> dict[str, str]:
        return {row[0]: row[1] for row in self.rows()}

    def undeclared(self) -> set[str]:
        """Exceptions that no caller would think of catching."""
        return {line[1:] for line in self._lines() if line.startswith("!")}

    def uncertain(self) -> int:
        return self._lines().count("?")

    def _lines(self) -> list[str]:
        """What it has written so far, in whole lines."""
        with self.out.open("rb") as file:
            file.seek(self._at)
            new = file.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._at += len(whole)
        self._read += whole.decode().splitlines()
        return self._read


def main() -> None:
    """The producer process."""
    parser = argparse.ArgumentParser()
    for name, kind in (
        ("redis", str),
        ("out", str),
        ("rate", float),
        ("seed", int),
        ("mix", str),
    ):
        parser.add_argument(f"--{name}", type=kind, required=True)
    given = parser.parse_args()
    configure(given.redis, allow_unregistered=True)
    out = os.open(given.out, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    producer = Producer(given.redis, out, given.seed, given.mix)
    for line in sys.stdin:
        producer.run(int(line), given.rate)


if __name__ == "__main__":
    main()
