"""Many at once: one key from fifty threads, replays while the workers run."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.chaos.bed import Trial
from tests.chaos.load import text_payload
from tests.chaos.registry import fault


@fault("fifty accepts at once with one idempotency key", rounds=20, short=3)
def one_key(trial: Trial) -> None:
    from interakt_jobs import IdempotencyConflict, configure, send_text

    configure(trial.bed.valkey.url, allow_unregistered=True)
    trial.worker("a")
    with ThreadPoolExecutor(50) as pool:
        for turn in range(trial.rounds):
            key = f"key-{trial.seed}-{turn}"

            def accept(_: int, turn: int = turn, key: str = key) -> str:
                return str(send_text.delay(text_payload(turn), idempotency_key=key, repeat="never").id)

            found = set(pool.map(accept, range(50)))
            trial.expect(len(found) == 1, f"one key gave {len(found)} jobs")
            trial.accepted |= dict.fromkeys(found, "never")
            try:
                send_text.delay(text_payload(turn + 1_000_000), idempotency_key=key)
                trial.expect(False, "another payload under the same key was accepted")
            except IdempotencyConflict:
                pass


@fault("each dead letter replayed by eight threads at once", rounds=50, short=10)
def replayed(trial: Trial) -> None:
    from interakt_jobs import configure, send_text
    from interakt_jobs.ledger.redis_client import RedisClient
    from worker.ledger.dead_letters import DeadLetters
    from worker.ledger.work_ledger import WorkLedger

    configure(trial.bed.valkey.url, allow_unregistered=True)
    trial.bed.sandbox.faults(share_status=1, status=422, message="refused for the test")
    trial.worker("a")
    jobs = [send_text.delay(text_payload(n), repeat="never") for n in range(trial.rounds)]
    trial.accepted |= {str(job.id): "never" for job in jobs}
    rest = trial.reader.settle_down()
    trial.expect(not rest, f"not all died: {rest}")
    trial.expect(all(job.state == "FAILURE" for job in jobs), "a refused job is not dead")
    trial.bed.sandbox.faults()
    letters = DeadLetters(WorkLedger(RedisClient(trial.bed.valkey.url), "default"), who="chaos")
    with ThreadPoolExecutor(8) as pool:
        for job in jobs:
            answers = Counter(pool.map(letters.replay, [job.job_key] * 8))
            trial.expect(answers["replayed"] == 1, f"replayed {answers['replayed']} times: {dict(answers)}")
