"""Looks at everything a deployment needs: settings, Redis, beat, and each account's key with one harmless read."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

import redis

from config.accounts import variable_of
from config.settings import Account, Settings, SettingsError, load
from interakt_jobs.errors import JobError
from interakt_jobs.ledger.redis_client import Link
from interakt_jobs.ledger.redis_url import plain

from .interakt.client import Client
from .interakt.errors import InteraktError
from .ledger.status import losses
from .schedules.store import ScheduleError, Schedules

OLDEST = (7, 0)  # the scripts carry flags
CLOCK_SECONDS, BEHIND_SECONDS = 5.0, 30.0
Mark = Literal["ok", "warning", "failure"]
Permit = Callable[[str], None]


class Check(NamedTuple):
    """One thing looked at: what was found, and what to mend when it is not ``ok``."""

    name: str
    mark: Mark
    found: str
    mend: str = ""


def examine(environ: Mapping[str, str], permit: Permit = lambda account: None) -> Iterator[Check]:
    """All checks, one after the other. ``permit(account)`` takes the permit of a call; it may raise to skip it."""
    try:
        settings = load(environ)
    except SettingsError as error:
        for name, text in sorted(error.mistakes.items()):
            found, _, mend = text.partition(": ")
            yield Check(name, "failure", found, mend)
        return
    yield Check("settings", "ok", f"{len(settings.accounts)} account(s): {', '.join(settings.accounts)}")
    for warning in settings.warnings:
        found, _, mend = warning.partition(": ")
        yield Check(warning.partition(" ")[0], "warning", found, mend or "mend its name, or unset it")
    yield from examine_redis(settings)
    yield from examine_data(settings)
    yield from examine_schedules(settings)
    for account in settings.accounts.values():
        yield examine_key(account, settings, permit)


def examine_redis(settings: Settings) -> Iterator[Check]:
    """Whether the Redis can hold the ledger."""
    try:
        link = redis.Redis.from_url(
            plain(settings.redis_url), socket_timeout=5, socket_connect_timeout=5, retry=None
        )
        with link:
            info: dict[str, Any] = link.info()
            seconds, micros = link.time()
            yield from _server(info, seconds + micros / 1e6 - time.time())
            yield from _options(_config(link), info)
    except redis.exceptions.AuthenticationError:
        yield Check(
            "redis", "failure", "it refuses the password", "put the right user and password into REDIS_URL"
        )
    except (redis.exceptions.RedisError, OSError, ValueError) as error:
        mend = "start Redis, or mend REDIS_URL"
        yield Check("redis", "failure", f"it cannot be reached: {type(error).__name__}", mend)


def _server(info: Mapping[str, Any], ahead: float) -> Iterator[Check]:
    name = "valkey" if "valkey_version" in info else "redis"
    shown = str(info.get("valkey_version") or info.get("redis_version") or "0")
    version = tuple(
        int(part) for part in str(info.get("redis_version") or "0").split(".")[:2] if part.isdigit()
    )
    good = version >= OLDEST
    yield Check(
        "redis",
        "ok" if good else "failure",
        f"{name} {shown}",
        "" if good else "use Redis 7 or newer, or Valkey",
    )
    if info.get("cluster_enabled") in (1, "1") or info.get("redis_mode") == "cluster":
        yield Check(
            "redis cluster",
            "failure",
            "it is a cluster",
            "use one primary: Celery's transport knows no cluster",
        )
    if info.get("role") in ("slave", "replica"):
        yield Check("redis role", "failure", "it is a replica", "point REDIS_URL at the primary")
    clock: Mark = "ok" if abs(ahead) < CLOCK_SECONDS else "warning"
    mend = (
        ""
        if clock == "ok"
        else "run NTP on both: dates given to jobs are this machine's, the rest is Redis' time"
    )
    yield Check("redis clock", clock, f"{ahead:+.1f} s from here", mend)


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
    if options.get("appendonly") == "yes":
        sync = options.get("appendfsync", "unknown")
        mark: Mark = "warning" if sync == "no" else "ok"
        mend = (
            "CONFIG SET appendfsync everysec, or always to survive a crash and a power loss"
            if mark == "warning"
            else ""
        )
        yield Check("redis persistence", mark, f"append-only file, fsync {sync}", mend)
    else:
        mend = "CONFIG SET appendonly yes, and in redis.conf: a restart loses all accepted jobs"
        yield Check("redis persistence", "failure", "no append-only file", mend)
    policy = options.get("maxmemory-policy", "")
    kept = policy == "noeviction"
    mend = (
        "" if kept else "CONFIG SET maxmemory-policy noeviction: any other deletes jobs when memory is short"
    )
    yield Check("redis eviction", "ok" if kept else "failure", policy or "unknown", mend)
    most = int(options.get("maxmemory") or 0)
    mend = (
        ""
        if most
        else "CONFIG SET maxmemory to 3/4 of the machine: intake then refuses before memory is gone"
    )
    yield Check(
        "redis memory",
        "ok" if most else "warning",
        f"{most // 2**20} MiB at most" if most else "no maximum",
        mend,
    )


def examine_data(settings: Settings) -> Iterator[Check]:
    """Whether Redis has lost what it knew, and nobody has confirmed it."""
    with contextlib.suppress(JobError), contextlib.closing(Link(settings.redis_url)) as link:
        if lost := losses(link):
            mend = (
                f"see the opt-outs and the limit, then python -m worker account confirm-loss {' '.join(lost)}"
            )
            yield Check("redis data", "failure", "it has lost data while workers lived; bulk waits", mend)


def examine_schedules(settings: Settings) -> Iterator[Check]:
    """Whether beat keeps up with the schedules, and what went wrong in their last slots; nothing when there are none."""
    try:
        with contextlib.closing(Link(settings.redis_url, timeout=5, connect_timeout=5)) as link:
            schedules = Schedules(link)
            names = schedules.names()
            if not names:
                return
            behind, active = schedules.behind(), schedules.has_beat()
            wrong = {name: error for name in names if (error := _error(schedules, name))}
    except (JobError, redis.exceptions.RedisError):
        return  # the checks of Redis have said so
    found = f"{len(names)}, a beat is active" if active else f"{len(names)}, and no beat is active"
    if behind > BEHIND_SECONDS:
        yield Check(
            "schedules", "failure", f"{found}, {behind:.0f} s behind", "start beat, as the Procfile has it"
        )
    else:
        mend = "" if active else "start beat, as the Procfile has it"
        yield Check("schedules", "ok" if active else "warning", found, mend)
    for name, error in wrong.items():
        yield Check(f"schedule {name}", "warning", error, f"python -m worker schedule show {name}")


def _error(schedules: Schedules, name: str) -> str:
    try:
        return schedules.get(name).error
    except (LookupError, ScheduleError) as error:
        return str(error)


def examine_key(account: Account, settings: Settings, permit: Permit) -> Check:
    """One page of one template: the cheapest call that shows whether the key, the plan and the URL are right."""
    name = f"account {account.name}"
    try:
        client = Client(account.base_url, account.api_key.reveal(), deadline=settings.http_deadline_seconds)
    except ValueError as error:
        return Check(
            name, "failure", str(error), f"copy the Secret Key again into {variable_of(account.name)}"
        )
    try:
        permit(account.name)
        client.call("list_templates", {"offset": 0, "limit": 1})
    except InteraktError as error:
        mark: Mark = "warning" if error.throttled else "failure"
        return Check(name, mark, str(error), _mend(error, account))
    except Exception as error:  # noqa: BLE001  the hook is not ours
        return Check(name, "warning", f"not asked: {error}", "run the doctor again later")
    return Check(name, "ok", f"the key is accepted, {account.calls_per_minute:g} calls a minute")


def _mend(error: InteraktError, account: Account) -> str:
    if error.throttled:
        return "the key works, but its limit is used up: is something else using it?"
    if error.outcome != "refused":
        return "the API cannot be reached: check the network, the proxy and INTERAKT_BASE_URL"
    if error.scope == "deployment":
        return "mend INTERAKT_BASE_URL: it ends in /v1/public/"
    if error.status == 401:
        return (
            f"put the Secret Key of Developer Settings into {variable_of(account.name)}, as it is shown there"
        )
    return "see what Interakt says; plans below Growth have no API"
