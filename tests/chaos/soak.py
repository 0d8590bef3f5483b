"""``python -m tests.chaos.soak --minutes 10``: mixed traffic, campaigns, webhooks and faults for long, then the oracle.

One worker is never killed: its memory, descriptors and threads must stay flat. Exit status 1 when an invariant is broken.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

from interakt_jobs.ledger.client import Ledger
from interakt_jobs.ledger.redis_client import RedisClient
from tests.chaos.bed import SECRET, Bed, Trial
from tests.chaos.processes import Worker, wait_until
from worker.campaigns.definition.definition import read
from worker.campaigns.recipients.sources import Dicts
from worker.campaigns.running import control
from worker.campaigns.store.store import CampaignStore

RATE, PEOPLE, SLOTS = 60, 400, 8
GROWTH_KB, GROWTH_FILES, GROWTH_THREADS, CLIENTS = 10_000, 20, 10, 200
CAMPAIGN = {
    "name": "Soak",
    "template": {"name": "diwali_offer", "language": "en", "body": ["{name}"]},
    "rules": {"stop_when": [{"count": 10**9}]},
}


def sizes(worker: Worker) -> tuple[int, int, int]:
    """Resident KB, open descriptors and threads of a process."""
    place = Path(f"/proc/{worker.pid}")
    facts = dict(line.split(":", 1) for line in (place / "status").read_text().splitlines() if ":" in line)
    return int(facts["VmRSS"].split()[0]), len(list((place / "fd").iterdir())), int(facts["Threads"])


class Soak:
    """One run: ``steady`` lives through it, ``victim`` is killed now and then."""

    def __init__(self, trial: Trial, minutes: float) -> None:
        self.trial, self.seconds = trial, 60 * minutes
        env = {"INTERAKT_WEBHOOK_SECRET": SECRET}
        self.steady, self.victim = (trial.worker(name, slots=SLOTS, env=env) for name in ("steady", "victim"))
        trial.web()
        self.link = RedisClient(trial.bed.valkey.url)
        self.samples: list[tuple[int, int, int]] = []
        self.clients = 0
        self.campaigns: list[str] = []

    def run(self) -> None:
        trial = self.trial
        trial.latency()
        trial.load(int(RATE * self.seconds), rate=RATE)
        end, faults = time.monotonic() + self.seconds, 0
        next_fault, next_campaign = time.monotonic() + 10, 0.0
        while time.monotonic() < end:
            if time.monotonic() >= next_campaign:
                self._campaign()
                next_campaign = time.monotonic() + 45
            if time.monotonic() >= next_fault:
                self._strike()
                faults += 1
                next_fault = time.monotonic() + trial.random.uniform(8, 15)
            self._sample()
            time.sleep(1)
        trial.latency()
        for name in self.campaigns:
            self._finish(name)
        self._judge()
        print(f"{faults} faults, {len(self.campaigns)} campaigns of {PEOPLE}", flush=True)

    def _strike(self) -> None:
        trial, both = self.trial, 2 * SLOTS
        kinds: list[Callable[[], None]] = [
            self._kill,
            self._restart,
            lambda: self._spoil(share_500=0.2),
            lambda: self._spoil(accept_lose_answer=0.1),
            lambda: self._spoil(share_429=0.5),
            lambda: trial.bed.redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"),
        ]
        trial.bound += both
        trial.random.choice(kinds)()

    def _kill(self) -> None:
        if self.trial.serves(self.victim):
            self.victim.kill()

    def _restart(self) -> None:
        self.trial.bed.valkey.kill()
        time.sleep(0.5)
        self.trial.bed.valkey.start()

    def _spoil(self, **rule: float) -> None:
        before = self._spoilt()
        self.trial.bed.sandbox.faults(latency_ms=[20, 80], **rule)
        time.sleep(3)
        self.trial.latency()
        self.trial.bound += self._spoilt() - before

    def _spoilt(self) -> int:
        return sum(call["fault"] is not None for call in self.trial.bed.sandbox.calls())

    def _campaign(self) -> None:
        name = f"csoak{len(self.campaigns):05d}"
        rows = ({"phone": f"+9198{at:08d}", "name": f"N{at}"} for at in range(PEOPLE))
        control.create(
            self.link, read({**CAMPAIGN, "recipients": {"check": "possible"}}), Dicts(rows), campaign=name
        )
        control.start(self.link, "default", name)
        self.campaigns.append(name)

    def _finish(self, name: str) -> None:
        store = CampaignStore(self.link, "default", name)
        if store.status() == "paused":  # its registration was struck
            control.resume(self.link, "default", name)
        wait_until(lambda: store.status() == "done", 600, f"{name} ends: {store.meta().get('why')}")
        counts = {state: n for state, n in store.counts().items() if "|" not in state}
        self.trial.expect(sum(counts.values()) == PEOPLE, f"{name}: {counts}")
        strange = set(counts) - {"accepted", "sent", "delivered", "read", "failed", "unknown", "dead"}
        self.trial.expect(not strange, f"{name}: {strange} left")
        for attempt in range(
            5
        ):  # a registration's call names no job: the oracle could not find it at the provider
            try:
                Ledger(self.link, "default").forget(f"registration-{name}-{attempt}")
            except Exception as error:
                if attempt == 0:
                    self.trial.expect(False, f"{name}: its registration is {type(error).__name__}")
                break

    def _sample(self) -> None:
        self.samples.append(sizes(self.steady))
        self.clients = max(self.clients, int(self.trial.bed.redis.info("clients")["connected_clients"]))

    def _judge(self) -> None:
        """The last third beside the second one: the first is warming up."""
        third = len(self.samples) // 3
        for at, (what, most) in enumerate(
            (("KB", GROWTH_KB), ("descriptors", GROWTH_FILES), ("threads", GROWTH_THREADS))
        ):
            before = max(sample[at] for sample in self.samples[third : 2 * third])
            after = max(sample[at] for sample in self.samples[2 * third :])
            print(f"steady worker: {before} {what} at most in the second third, {after} in the last")
            self.trial.expect(after - before <= most, f"{what} grew from {before} to {after}")
        self.trial.expect(self.clients <= CLIENTS, f"{self.clients} connections to Redis")
        print(f"most connections to Redis: {self.clients}")


def main(arguments: list[str] | None = None) -> int:
    made = argparse.ArgumentParser(prog="python -m tests.chaos.soak", description=__doc__)
    made.add_argument("--minutes", type=float, default=10)
    made.add_argument("--seed", type=int, help="repeat a run (its seed is printed)")
    given = made.parse_args(arguments)
    seed = random.SystemRandom().randrange(1 << 31) if given.seed is None else given.seed
    print(f"seed {seed}", flush=True)
    bed = Bed(seed)
    try:
        with bed.trial("soak", 1) as trial:
            Soak(trial, given.minutes).run()
            verdict = trial.verdict()
    finally:
        bed.close()
    print(
        f"{verdict.jobs} jobs: {verdict.lost} lost, {verdict.doubled} doubled, {verdict.ambiguous} ambiguous and "
        f"{verdict.unknown} unknown of at most {verdict.bound}, {verdict.dead} dead"
    )
    for error in verdict.errors:
        print(f"BROKEN: {error}")
    return 0 if verdict.ok else 1


if __name__ == "__main__":
    sys.exit(main())
