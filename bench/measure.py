"""The two measurements of a peer: working off a backlog, and lying idle with a job now and then."""

from __future__ import annotations

import time
from typing import Any

from redis import Redis

from bench import arrivals, processes
from bench.peer import Peer
from bench.produce import WARM_PACED
from sandbox.control import Sandbox
from sandbox.valkey import Valkey

Figures = dict[str, float]
POLL = 0.04
STALL = 20.0


class Stalled(Exception):
    """Nothing arrived for a long time; the text ends with the worker's last words."""


class Place:
    """The Redis and the API that all peers use, one after the other."""

    def __init__(self, valkey: Valkey, api: Sandbox) -> None:
        self.valkey, self.api = valkey, api
        self.redis: Redis = Redis.from_url(valkey.url, decode_responses=True)

    def clean(self, latency_ms: int) -> None:
        """Empty both, and set how long the API takes to answer."""
        self.redis.execute_command("FLUSHALL", "SYNC")
        self.api.reset()
        if latency_ms:
            self.api.faults(latency_ms=latency_ms)
        else:
            self.api.faults()

    def seen(self) -> int:
        return int(self.api.summary()["calls"])

    def stored(self) -> int:
        """Bytes of Redis' memory without connections' and the append-only file's buffers, and without scripts."""
        info: dict[str, Any] = self.redis.info("memory")
        others = ("mem_clients_normal", "mem_aof_buffer", "used_memory_scripts_eval")
        return int(info["used_memory"] - sum(info[name] for name in others))

    def redis_cpu(self) -> float:
        info: dict[str, Any] = self.redis.info("cpu")
        return float(info["used_cpu_user"] + info["used_cpu_sys"])


def backlog(peer: Peer, place: Place, latency_ms: int, count: int) -> Figures:
    """Queue ``count`` jobs, start the workers, measure between 15 % and 100 % of the arrivals."""
    place.clean(latency_ms)
    empty = place.stored()
    peer.enqueue(count)
    spawned = time.time()
    pids = peer.start(peer.slots[latency_ms])
    try:
        _wait(peer, place, max(1, int(count * 0.15)))
        early, cpu, redis_cpu = place.seen(), processes.cpu_seconds(pids), place.redis_cpu()
        _wait(peer, place, count)
        done = place.seen()
        cpu, redis_cpu = processes.cpu_seconds(pids) - cpu, place.redis_cpu() - redis_cpu
        _settled(place)
        memory = processes.memory(pids)
    finally:
        peer.stop()
    _settled(place)
    times = sorted(call.arrived for call in place.api.arrivals())
    begin = times[early]
    figures = {
        "jobs_per_second": (len(times) - 1 - early) / (times[count - 1] - begin),
        "cpu_ms": 1000 * cpu / (done - early),
        "redis_cpu_ms": 1000 * redis_cpu / (done - early),
        "first_request_seconds": times[0] - spawned,
        "peak_in_flight": float(place.api.summary()["peak_simultaneous"]),
        "repeated": float(len(times) - count),
        "memory_pss_mb": memory.pss,
        "memory_rss_mb": memory.rss,
    }
    if latency_ms == 0:
        figures["bytes_finished"] = (place.stored() - empty) / count
    return figures


def queueing(peer: Peer, place: Place, count: int) -> Figures:
    """Queue ``count`` jobs that nobody takes; ten times as many when the peer queues many at once."""
    place.clean(0)
    empty = place.stored()
    made = peer.enqueue(10 * count if peer.bulk else count)
    _settled(place)
    return {
        "enqueue_per_second": made["count"] / made["seconds"],
        "enqueue_cpu_us": 1e6 * made["cpu_seconds"] / made["count"],
        "bytes_waiting": (place.stored() - empty) / (10 * count if peer.bulk else count),
    }


def idle(peer: Peer, place: Place, samples: int) -> Figures:
    """Start the workers with one job waiting; then their memory, and how long a lone job takes to arrive."""
    place.clean(0)
    peer.enqueue(1)
    spawned = time.time()
    pids = peer.start(peer.slots[0])
    try:
        _wait(peer, place, 1)
        ready = place.api.arrivals()[0].arrived - spawned
        time.sleep(0.5)
        memory = processes.memory(pids)
        began, cpu = time.monotonic(), processes.cpu_seconds(pids)
        time.sleep(0.8)
        resting = (processes.cpu_seconds(pids) - cpu) / (time.monotonic() - began)
        called = peer.enqueue_paced(samples)
        _wait(peer, place, 1 + samples + WARM_PACED)
        arrived = {call.job: call.arrived for call in place.api.arrivals() if call.job}
    finally:
        peer.stop()
    waits = arrivals.waits(called, arrived)
    if len(waits) < samples:
        raise Stalled(f"{peer.name}: {samples - len(waits)} of {samples} jobs did not arrive under their id")
    return {
        "ready_seconds": ready,
        "idle_pss_mb": memory.pss,
        "idle_rss_mb": memory.rss,
        "idle_cpu_percent": 100 * resting,
        "latency_p50_ms": 1000 * arrivals.percentile(waits, 0.5),
        "latency_p99_ms": 1000 * arrivals.percentile(waits, 0.99),
    }


def _wait(peer: Peer, place: Place, count: int) -> None:
    """Until the API has seen ``count`` calls; raises ``Stalled`` when for ``STALL`` seconds none is new."""
    seen, since = -1, time.monotonic()
    while (now := place.seen()) < count:
        if now != seen:
            seen, since = now, time.monotonic()
        if time.monotonic() - since > STALL or not peer.alive():
            state = "stalled" if peer.alive() else "ended"
            raise Stalled(f"{peer.name} {state} at {now} of {count} calls\n{peer.words()}")
        time.sleep(POLL)


def _settled(place: Place, patience: float = 5.0) -> None:
    """Until what is stored stops changing: the last results are written after the last arrival."""
    end, last = time.monotonic() + patience, -1
    while time.monotonic() < end and (now := place.stored()) != last:
        last = now
        time.sleep(0.12)
