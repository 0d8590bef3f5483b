"""Whether the Redis can hold the ledger."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import redis

from interakt_jobs.ledger.redis_errors import FAILURES, explain
from interakt_jobs.ledger.redis_url import plain

from . import Check
from .redis_rights import missing

OLDEST = (7, 0)  # the scripts carry flags
CLOCK_SECONDS = 5.0


def examine_redis(url: str) -> Iterator[Check]:
    """The user's rights, the version, the clock, and what is kept when."""
    try:
        # as workers speak: over RESP 3 a password that Redis does not want would pass
        with redis.Redis.from_url(
            plain(url), protocol=2, socket_timeout=5, socket_connect_timeout=5, retry=None
        ) as link:
            yield _rights(missing(link))
            info: dict[str, Any] = link.info()
            seconds, micros = link.time()
            yield from _server(info, seconds + micros / 1e6 - time.time())
            yield from _options(_config(link), info)
    except FAILURES as error:
        fault = explain(error)
        yield Check("redis", "failure", fault.found, f"{fault.fix} (REDIS_URL)")


def _rights(lacking: list[str]) -> Check:
    if not lacking:
        return Check("redis rights", "ok", "the user has all that is needed")
    rights = " ".join(lacking)
    found = f"the user lacks {rights}: workers, beat or producers would stop"
    mend = f"ACL SETUSER <name> {rights} (docs/operations.md has them all)"
    return Check("redis rights", "failure", found, mend)


def _server(info: Mapping[str, Any], ahead: float) -> Iterator[Check]:
    version = str(info.get("redis_version") or "0")
    found = f"valkey {info['valkey_version']}" if "valkey_version" in info else f"redis {version}"
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    yield Check.of("redis", numbers >= OLDEST, found, "use Redis 7 or newer, or Valkey")
    if info.get("cluster_enabled") in (1, "1") or info.get("redis_mode") == "cluster":
        mend = "use one primary: Celery's transport knows no cluster"
        yield Check("redis cluster", "failure", "it is a cluster", mend)
    if info.get("role") in ("slave", "replica"):
        yield Check("redis role", "failure", "it is a replica", "point REDIS_URL at the primary")
    mend = "run NTP on both: dates given to jobs are this machine's, the rest is Redis' time"
    yield Check.of("redis clock", abs(ahead) < CLOCK_SECONDS, f"{ahead:+.1f} s from here", mend, "warning")


def _config(link: Any) -> dict[str, str] | None:
    try:
        found: dict[str, str] = link.config_get("append*", "maxmemory*")
    except redis.exceptions.ResponseError:
        return None
    return found


def _options(options: Mapping[str, str] | None, info: Mapping[str, Any]) -> Iterator[Check]:
    if options is None:
        # Hosted servers hide CONFIG; INFO tells the half of it.
        options = {
            "appendonly": "yes" if info.get("aof_enabled") else "no",
            "maxmemory-policy": str(info.get("maxmemory_policy", "")),
            "maxmemory": str(info.get("maxmemory", 0)),
        }
    name = "redis persistence"
    if options.get("appendonly") == "yes":
        sync = options.get("appendfsync", "unknown")
        mend = "CONFIG SET appendfsync everysec, or always to survive a crash and a power loss"
        yield Check.of(name, sync != "no", f"append-only file, fsync {sync}", mend, "warning")
    else:
        mend = "CONFIG SET appendonly yes, and in redis.conf: a restart loses all accepted jobs"
        yield Check(name, "failure", "no append-only file", mend)
    policy = options.get("maxmemory-policy", "") or "unknown"
    mend = "CONFIG SET maxmemory-policy noeviction: any other deletes jobs when memory is short"
    yield Check.of("redis eviction", policy == "noeviction", policy, mend)
    most = int(options.get("maxmemory") or 0)
    found = f"{most // 2**20} MiB at most" if most else "no maximum"
    mend = "CONFIG SET maxmemory to 3/4 of the machine: intake then refuses before memory is gone"
    yield Check.of("redis memory", bool(most), found, mend, "warning")
