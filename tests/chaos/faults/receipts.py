"""Receipts by real webhooks: they settle what an answer did not, whatever order they come in."""

from __future__ import annotations

import time
from collections import Counter

from interakt_jobs.ledger.client import Ledger
from interakt_jobs.ledger.keys import prefix
from interakt_jobs.ledger.redis_client import RedisClient
from tests.chaos.bed import SECRET, Trial
from tests.chaos.processes import wait_until
from tests.chaos.registry import fault
from tests.waiting import Patience

JOBS = 400
RANKS = {"sent": "1", "failed": "2", "delivered": "3", "read": "4"}


def send(
    trial: Trial, lost: float, *, hold: str = "4", jobs: int = JOBS, mutation: str = "", **hook: object
) -> int:
    """Send under load while a share of the answers is lost; how many were."""
    env = {
        "INTERAKT_WEBHOOK_SECRET": SECRET,
        "INTERAKT_HOLD_SECONDS": hold,
        "INTERAKT_OTP_HOLD_SECONDS": hold,
        "INTERAKT_NEVER_HOLD_SECONDS": hold,
        "CHAOS_MUTATION": mutation,
    }
    app = "tests.chaos.mutant:app" if mutation else "worker.app"
    for name in ("a", "b"):
        trial.worker(name, app=app, env=env)
    trial.web(**hook)
    trial.bed.sandbox.faults(latency_ms=[20, 80], accept_lose_answer=lost, seed=trial.seed)
    load = trial.load(jobs * trial.rounds, rate=80, mix="sends")
    load.wait()
    trial.reader.settle_down()
    struck = sum(call["fault"] is not None for call in trial.bed.sandbox.calls())
    trial.bed.sandbox.faults()
    trial.expect(struck > 0 or not lost, "no answer was lost")
    return struck


def _deliveries(trial: Trial) -> Counter[str]:
    """What the ledger knows of each job's delivery."""
    link = RedisClient(trial.bed.valkey.url)
    ledger = Ledger(link, "default")
    found = Counter(
        ledger.read(identity.split(".", 2)[2]).delivery.split(".")[0]
        for identity in trial.loads[0].accepted()
    )
    link.close()
    return found


def _reasons(trial: Trial) -> int:
    return int(trial.bed.redis.zcard(f"{prefix('default')}dead"))


@fault("5 % of accepted answers lost, receipts come: none doubled, none unknown", rounds=5, short=1)
def answers_lost_with_receipts(trial: Trial) -> None:
    struck = send(trial, 0.05)
    trial.expect(struck >= 5, f"only {struck} answers were lost")
    trial.expect(not _reasons(trial), "a job whose receipt came is dead")


@fault("5 % of accepted answers lost, receipts later than the hold", rounds=2)
def receipts_late(trial: Trial) -> None:
    trial.bound += send(trial, 0.05, hold="1", delay_ms=[2500, 4000], statuses=["sent"])
    wait_until(lambda: not _reasons(trial), 60, "the receipts that came late settle the dead letters")


@fault("5 % of accepted answers lost, receipts missing", rounds=2)
def receipts_missing(trial: Trial) -> None:
    trial.bound += send(trial, 0.05, hold="1", share_drop=1)


@fault("webhooks late, doubled, shuffled, forged: each job's delivery is right", rounds=3, short=1)
def webhooks_mangled(trial: Trial) -> None:
    send(trial, 0, delay_ms=[0, 1500], share_double=0.4, share_shuffle=0.6, share_forge=0.3)
    jobs = len(trial.loads[0].accepted())
    patience = Patience()
    while (left := jobs - (found := _deliveries(trial))[RANKS["read"]]) and not patience.over(left):
        time.sleep(0.5)
    trial.expect(found == Counter({RANKS["read"]: jobs}), f"deliveries by rank of {jobs}: {dict(found)}")
    counts = trial.bed.sandbox.webhooks()["webhooks"][0]["counts"]
    trial.expect(counts.get("forged_refused", 0) > 0, "no webhook was forged")
    taken = counts.get("forged_taken", 0)
    trial.expect(not taken, f"{taken} forged webhooks were taken")
    trial.expect(not trial.bed.redis.zcard(f"{prefix('default')}failed"), "a forged receipt failed a job")
