"""Redis killed, frozen, cut off, full."""

from __future__ import annotations

import shutil
import signal
import time
from pathlib import Path

from interakt_jobs import Job, configure, send_text
from interakt_jobs.ledger.keys import prefix
from interakt_jobs.ledger.redis_client import RedisClient
from tests.chaos.bed import Trial
from tests.chaos.load import text_payload
from tests.chaos.processes import Worker, wait_until
from tests.chaos.registry import fault
from worker.ledger.accounts import confirm_loss
from worker.ledger.work_ledger import WorkLedger


def _same_processes(trial: Trial, before: list[int]) -> None:
    now = [worker.pid for worker in trial.supervisor.workers]
    trial.expect(now == before and trial.supervisor.restarts == 0, "a worker had to be restarted")


def _pids(trial: Trial) -> list[int]:
    return [worker.pid for worker in trial.supervisor.workers]


def _two(trial: Trial) -> list[Worker]:
    trial.latency()
    return [trial.worker(name) for name in ("a", "b")]


@fault("Redis: SIGKILL, restart from its AOF", rounds=8, short=1)
def redis_killed(trial: Trial) -> None:
    workers = _two(trial)
    pids = _pids(trial)
    load = trial.load(rate=120)
    for _ in range(trial.rounds):
        load.more(400)
        trial.wait_busy()
        time.sleep(trial.random.uniform(0.2, 1.0))
        trial.bed.valkey.kill()
        time.sleep(trial.random.uniform(0.2, 1.5))
        trial.bed.valkey.start()
        trial.bound += sum(worker.slots for worker in workers)
        before = len(trial.calls())
        wait_until(lambda before=before: len(trial.calls()) > before, 60, "a call after Redis is back")  # type: ignore[misc]
    _same_processes(trial, pids)


@fault("Redis: SIGSTOP for 4 s", rounds=4, short=1)
def redis_frozen(trial: Trial) -> None:
    workers = _two(trial)
    pids = _pids(trial)
    load = trial.load(rate=80)
    for _ in range(trial.rounds):
        load.more(600)
        trial.wait_busy()
        time.sleep(trial.random.uniform(0.2, 1.0))
        trial.bed.valkey.signal(signal.SIGSTOP)
        time.sleep(4)
        trial.bed.valkey.signal(signal.SIGCONT)
        trial.bound += sum(worker.slots for worker in workers)
        time.sleep(2)
    _same_processes(trial, pids)


@fault("Redis: every client killed each 0.3 s", rounds=30, short=10)
def clients_killed(trial: Trial) -> None:
    _two(trial)
    pids = _pids(trial)
    load = trial.load(rate=150)
    for _ in range(trial.rounds):
        load.more(60)
        time.sleep(0.3)
        for kind in ("normal", "pubsub"):
            trial.bed.redis.execute_command("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")
    _same_processes(trial, pids)


@fault("network: cut, refused for 1 s, stalled for 2 s", rounds=6, short=1)
def network_cut(trial: Trial) -> None:
    trial.latency()
    workers = [trial.worker(name, proxied=True) for name in ("a", "b")]
    pids = _pids(trial)
    load, proxy = trial.load(rate=100, proxied=True), trial.bed.proxy
    for _ in range(trial.rounds):
        load.more(500)
        time.sleep(0.5)
        proxy.tell(cut=True)
        time.sleep(0.5)
        proxy.tell(cut=True, refuse=True)
        time.sleep(1)
        proxy.tell(refuse=False)
        time.sleep(1)
        proxy.tell(stall=True)
        time.sleep(2)
        proxy.tell(stall=False)
        trial.bound += sum(worker.slots for worker in workers)
    _same_processes(trial, pids)


@fault("Redis loses its data: FLUSHALL, an empty folder", rounds=2, short=1)
def data_lost(trial: Trial) -> None:
    _two(trial)
    pids, redis = _pids(trial), trial.bed.redis
    configure(trial.bed.valkey.url)
    ledger = WorkLedger(RedisClient(trial.bed.valkey.url), "default")
    after: list[Job] = []
    for number in range(trial.rounds):
        before = trial.load(400, rate=120)
        trial.wait_busy()
        before.kill()  # what was accepted before is lost with the data
        before.out.unlink()
        trial.loads.remove(before)
        if number % 2:
            trial.bed.valkey.kill()
            shutil.rmtree(Path(trial.bed.valkey.directory) / "appendonlydir")
            trial.bed.valkey.start()
        else:
            redis.flushall()
        wait_until(
            lambda: redis.hexists(f"{prefix('default')}state", "lost_at"), 60, "the workers register again"
        )
        after = [send_text.delay(text_payload(0), lane=lane, repeat="never") for lane in ("bulk", "normal")]
        wait_until(after[1].ready, 60, "a normal job ends")
        trial.expect(not after[0].ready(), "bulk did not wait for a person")
        trial.expect(confirm_loss(ledger), "there was nothing to confirm")
        wait_until(after[0].ready, 60, "the bulk job ends")
    trial.accepted |= {str(job.id): "never" for job in after}
    trial.load(200, rate=60)
    _same_processes(trial, pids)


@fault("Redis: maxmemory reached, then raised", rounds=2, short=1)
def memory_full(trial: Trial) -> None:
    trial.latency()
    trial.worker("a")
    pids = _pids(trial)
    for _ in range(trial.rounds):
        used = int(trial.bed.redis.info("memory")["used_memory"])
        trial.bed.redis.config_set("maxmemory", used + 1_000_000)
        load = trial.load(5000)
        wait_until(lambda load=load: load.uncertain() > 0, 120, "a full Redis refuses work")
        trial.bed.redis.config_set("maxmemory", 0)
        wait_until(
            lambda: not trial.bed.redis.hget(f"{prefix('default')}state", "full"), 60, "work is taken again"
        )
        load.wait()
    _same_processes(trial, pids)
    trial.bound += trial.supervisor.workers[0].slots * trial.rounds
