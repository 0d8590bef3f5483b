"""Looks at everything a deployment needs: settings, Redis, beat, and each account's key with one harmless read."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping

from config.settings import SettingsError, load
from interakt_jobs.ledger.redis_client import RedisClient

from .checks import Check
from .checks.accounts import Permit, examine_accounts
from .checks.ledger import examine_data, examine_schedules
from .checks.redis_server import examine_redis
from .checks.settings import try_settings

__all__ = ["Check", "examine"]


def examine(environ: Mapping[str, str], permit: Permit = lambda account: None) -> Iterator[Check]:
    """All checks, one after the other. ``permit(account)`` takes the permit of a call; it may raise to skip it."""
    try:
        settings = load(environ)
    except SettingsError as error:
        yield from _failures(sorted(error.mistakes.items()))
        return
    yield Check("settings", "ok", f"{len(settings.accounts)} account(s): {', '.join(settings.accounts)}")
    for warning in settings.warnings:
        found, _, mend = warning.partition(": ")
        yield Check(warning.partition(" ")[0], "warning", found, mend or "correct its name, or unset it")
    yield from _failures(try_settings(settings).items())
    yield from examine_redis(settings.redis_url)
    with contextlib.closing(RedisClient(settings.redis_url, timeout=5, connect_timeout=5)) as link:
        yield from examine_data(link)
        yield from examine_schedules(link)
        yield from examine_accounts(settings, link, permit)


def _failures(mistakes: Iterable[tuple[str, str]]) -> Iterator[Check]:
    """Settings that cannot be used: what is wrong, a colon, and the fix."""
    for name, text in mistakes:
        found, _, mend = text.partition(": ")
        yield Check(name, "failure", found, mend)
