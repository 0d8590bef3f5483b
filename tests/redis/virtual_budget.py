"""The budget in virtual time: the very script of a permit, told what time it is, so that an hour takes seconds."""

from __future__ import annotations

import heapq
import random
from collections import deque
from itertools import count
from typing import NamedTuple

from redis import Redis

from interakt_jobs.ledger.keys import prefix
from worker.ledger.work_ledger import PERMIT

CLOCK = "redis.call('TIME')"
BEGIN = 1_800_000_000_000_000  # us


class Call(NamedTuple):
    """A permit that was given: when (s), to which lane, and how long its job had waited (s)."""

    at: float
    lane: str
    waited: float


class VirtualBudget:
    """An account of ``rate`` calls in ``window`` seconds, on an empty database."""

    def __init__(self, redis: Redis, rate: int, window: int = 60) -> None:
        assert CLOCK in PERMIT.text
        self.redis, self.prefix, self.rate = redis, prefix("virtual"), rate
        self._permit = redis.register_script(PERMIT.text.replace(CLOCK, "{ARGV[2], ARGV[3]}"))
        state = {"since": 1, "rate": rate, "window_ms": window * 1000}
        shares = {"share_urgent": 60, "share_normal": 20, "share_bulk": 20}
        redis.hset(f"{self.prefix}state", mapping={**state, **shares})

    def ask(self, lane: str, at: float) -> int:
        """0 for a permit at this moment, else the milliseconds after which to ask again."""
        seconds, micros = divmod(BEGIN + int(at * 1e6), 1_000_000)
        return int(self._permit(keys=[self.prefix], args=[lane, seconds, micros]))

    def run(self, seconds: float, urgent: list[float], bulk: int, chance: random.Random) -> list[Call]:
        """What goes out while ``bulk`` workers always have work and urgent jobs come at these moments."""
        order, queue = count(), deque(urgent)
        if bulk:
            self.redis.zadd(f"{self.prefix}rel:bulk", {"backlog": 0})
        asking = [(chance.random(), next(order), "bulk", 0.0) for _ in range(bulk)]
        heapq.heapify(asking)
        released = f"{self.prefix}rel:urgent"
        made: list[Call] = []
        out = 0
        while queue or asking:
            # the dispatcher releases half a second of work
            while queue and out < max(2, self.rate // 120) and (not asking or queue[0] <= asking[0][0]):
                since = queue.popleft()
                heapq.heappush(
                    asking, (max(since, made[-1].at if made else 0.0), next(order), "urgent", since)
                )
                out += 1
                self.redis.zadd(released, {str(since): 0})
            at, number, lane, since = heapq.heappop(asking)
            if at >= seconds:
                break
            millis = self.ask(lane, at)
            if millis:
                # a sleeping thread comes a little late
                again = at + millis / 1000 + chance.uniform(0.0001, 0.002)
                heapq.heappush(asking, (again, number, lane, since))
                continue
            made.append(Call(at, lane, at - since))
            if lane == "urgent":
                out -= 1
                self.redis.zrem(released, str(since))
            else:
                heapq.heappush(asking, (at + chance.uniform(0.02, 0.2), number, lane, since))
        return made


def poisson(per_second: float, begin: float, end: float, chance: random.Random) -> list[float]:
    """Moments of arrivals at random."""
    found, at = [], begin
    while (at := at + chance.expovariate(per_second)) < end:
        found.append(at)
    return found
