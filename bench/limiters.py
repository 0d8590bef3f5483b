"""Sends as fast as a limiter allows; runs in the environment ``limits``.

python -m bench.limiters limits|pyrate CALLS WINDOW      CALLS in any WINDOW seconds, until it is ended
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

import requests
from limits import RateLimitItemPerSecond
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter
from pyrate_limiter import Limiter, Rate, RedisBucket
from redis import Redis

from bench.call import headers, marked, url

NAME = "interakt"


def with_limits(calls: int, window: int) -> Callable[[], None]:
    """``limits``: its moving window, and its own word on when to try again."""
    limiter = MovingWindowRateLimiter(RedisStorage(os.environ["REDIS_URL"]))
    allowed = RateLimitItemPerSecond(calls, window)

    def acquire() -> None:
        while not limiter.hit(allowed, NAME):
            again = limiter.get_window_stats(allowed, NAME).reset_time
            time.sleep(max(0.001, again - time.time()))

    return acquire


def with_pyrate(calls: int, window: int) -> Callable[[], None]:
    """``pyrate-limiter``: its Redis bucket, and its own waiting."""
    rates = [Rate(calls, 1000 * window)]
    limiter = Limiter(RedisBucket.init(rates, Redis.from_url(os.environ["REDIS_URL"]), NAME))

    def acquire() -> None:
        limiter.try_acquire(NAME)

    return acquire


def main(name: str, calls: str, window: str) -> None:
    acquire = {"limits": with_limits, "pyrate": with_pyrate}[name](int(calls), int(window))
    session = requests.Session()
    session.trust_env = False
    while True:
        acquire()
        session.post(url(), json=marked(f"p{os.getpid()}"), headers=headers(), timeout=20)


if __name__ == "__main__":
    main(*sys.argv[1:])
