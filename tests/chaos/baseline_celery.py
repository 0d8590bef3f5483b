"""The same kills on plain Celery with its safest settings.

``python -m tests.chaos.baseline_celery [--kills N]``. The jobs post to the same
sandbox; what was sent and what arrived is compared by id.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from pathlib import Path

from sandbox.control import Sandbox
from tests.chaos.bed import Bed
from tests.chaos.processes import Supervisor, Worker, wait_until

LATENCY = [20, 80]


def environment(bed: Bed) -> dict[str, str]:
    return dict(os.environ) | {
        "PLAIN_REDIS_URL": bed.valkey.url,
        "PLAIN_BASE_URL": bed.sandbox.base_url,
        "PLAIN_API_KEY": Sandbox.key,
    }


def run(bed: Bed, pool: str, how: str, rounds: int, per_round: int, seed: int) -> tuple[int, int, int, float]:
    """Kill (``kill``) or end (``term``) one busy worker ``rounds`` times, or lose 5 % of the answers and retry (``lost``).

    Returns jobs, lost, doubled and seconds.
    """
    os.environ.update(environment(bed) | ({"PLAIN_RETRIES": "1"} if how == "lost" else {}))
    from tests.chaos.plain_app import app, send

    app.conf.broker_url = bed.valkey.url
    bed.redis.flushall()
    bed.sandbox.reset()
    bed.sandbox.faults(latency_ms=LATENCY, seed=seed, accept_lose_answer=0.05 if how == "lost" else 0)
    chance, began = random.Random(seed), time.monotonic()
    directory = Path(bed.directory) / f"plain-{pool}-{how}"
    directory.mkdir()
    supervisor = Supervisor()
    sent: list[str] = []

    def publish(many: int) -> None:
        for _ in range(many):
            identity = f"plain-{len(sent)}"
            send.delay(identity)
            sent.append(identity)

    worker = Worker(
        "plain",
        environment(bed) | {"PLAIN_RETRIES": os.environ.get("PLAIN_RETRIES", "")},
        directory,
        app="tests.chaos.plain_app",
        queues=["plain"],
        pool=pool,
        slots=8,
    )
    publish(per_round)
    supervisor.add(worker)
    starts = 1
    try:
        for _ in range(rounds):
            wait_until(
                lambda starts=starts: worker.log.read_text(errors="replace").count(" ready.") >= starts,  # type: ignore[misc]
                30,
                "plain is ready",
            )
            publish(per_round)
            if how == "lost":
                continue
            time.sleep(chance.uniform(0.2, 0.8))
            if how == "kill":
                worker.kill()
            else:
                worker.stop()
            starts += 1
        _wait_for_rest(bed, len(sent))
    finally:
        supervisor.close()
    arrived = bed.sandbox.jobs()
    lost = sum(arrived.get(identity, (0, 0))[0] == 0 for identity in sent)
    doubled = sum(accepted > 1 for accepted, _ in arrived.values())
    return len(sent), lost, doubled, time.monotonic() - began


def _wait_for_rest(bed: Bed, jobs: int, quiet: float = 12.0) -> None:
    """Until nothing has arrived for three visibility timeouts."""
    last, since = -1, time.monotonic()
    while time.monotonic() - since < quiet:
        calls = int(bed.sandbox.summary()["calls"])
        if calls != last:
            last, since = calls, time.monotonic()
        if not bed.redis.exists("plain", "unacked") and time.monotonic() - since > 2:
            return
        time.sleep(0.2)


def main(arguments: list[str] | None = None) -> None:
    """Print a line for each way of ending a worker."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.baseline_celery", description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=150, help="jobs for each kill")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    bed = Bed(given.seed)
    try:
        print("plain Celery, acks_late, reject_on_worker_lost, prefetch 1, visibility timeout 4 s")
        for pool in ("threads", "prefork"):
            for how in ("kill", "term", "lost") if pool == "threads" else ("kill", "term"):
                jobs, lost, doubled, seconds = run(bed, pool, how, given.kills, given.jobs, given.seed)
                print(
                    f"  {pool:8} {how:5} {given.kills:4} rounds {jobs:6} jobs {lost:4} lost "
                    f"{doubled:5} doubled {seconds:7.1f} s",
                    flush=True,
                )
    finally:
        bed.close()


if __name__ == "__main__":
    main(sys.argv[1:])
