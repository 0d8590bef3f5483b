"""Time that stands still until a test moves it: the scripts themselves, told what time it is."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from functools import cache
from typing import Any

from interakt_jobs.ledger.redis_client import RedisClient
from interakt_jobs.ledger.scripts import Script

TIME = "redis.call('TIME')"
KEY = "ij1:clock"


@cache
def timed(script: Script) -> Script:
    """The script with Redis's time replaced by the clock's."""
    text = script.text.replace(TIME, f"redis.call('HMGET', '{KEY}', 's', 'us')")
    return replace(script, text=text, sha=hashlib.sha1(text.encode()).hexdigest())


class Clock:
    """Replaces the time of one link; ``now`` is in seconds since the epoch and begins at Redis's own."""

    def __init__(self, link: RedisClient) -> None:
        run, command = link.run, link.command

        def virtual(*words: Any, **options: Any) -> Any:
            return command("HMGET", KEY, "s", "us") if words == ("TIME",) else command(*words, **options)

        link.run = lambda script, *rest, **options: run(timed(script), *rest, **options)  # type: ignore[method-assign]
        link.command = virtual  # type: ignore[method-assign,assignment]
        link.sleep = self.advance  # type: ignore[attr-defined]
        self._command = command
        seconds, micros = command("TIME")
        self.set(int(seconds) + int(micros) / 1e6)

    def set(self, now: float) -> None:
        self.now = now
        micros = round(now * 1e6)
        self._command("HSET", KEY, "s", micros // 1_000_000, "us", micros % 1_000_000)

    def advance(self, seconds: float) -> None:
        self.set(self.now + seconds)


def pause(link: RedisClient, seconds: float) -> None:
    """Let time pass: the link's own if it has a clock."""
    getattr(link, "sleep", time.sleep)(seconds)
