"""One frozen object made of the environment; all mistakes are reported together. Nothing is read at import."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from urllib.parse import urlsplit

from marshmallow import ValidationError

from .accounts import NAMES as ACCOUNT_NAMES
from .accounts import read_accounts, variable_of
from .declaration import schema_of
from .schema import Account, Settings
from .secret import LEAST_SECRET, Secret
from .urls import is_public

__all__ = ["Account", "Secret", "Settings", "SettingsError", "current", "load"]
_SCHEMA = schema_of(Settings)
NAMES = frozenset(str(known.data_key) for known in _SCHEMA.fields.values())
# Read elsewhere: by producers, and by the tests.
ELSEWHERE = frozenset({"INTERAKT_REDIS_URL"})


class SettingsError(ValueError):
    """Raised for an unusable environment; ``mistakes`` maps each variable to what is wrong and the fix."""

    def __init__(self, mistakes: Mapping[str, str]) -> None:
        self.mistakes = dict(mistakes)
        super().__init__(self.mistakes)

    def __str__(self) -> str:
        lines = [f"  {name}: {text}" for name, text in sorted(self.mistakes.items())]
        return "\n".join([f"{len(lines)} setting{'s' * (len(lines) != 1)} to fix:", *lines])


def load(environ: Mapping[str, str] = os.environ, *, keys: bool = True) -> Settings:
    """The settings of ``environ``; raises ``SettingsError`` with all mistakes.

    An empty value counts as unset. Without ``keys`` it is no mistake that there is no API key.
    """
    given = {name: environ[name].strip() for name in NAMES if environ.get(name, "").strip()}
    mistakes: dict[str, str] = {}
    loaded: dict[str, object] = {}
    try:
        loaded = _SCHEMA.load(given)
    except ValidationError as error:
        mistakes |= {name: str(messages[0]) for name, messages in error.messages_dict.items()}
        loaded = error.valid_data if isinstance(error.valid_data, dict) else {}
    mistakes |= _together(loaded, mistakes)
    accounts = read_accounts(environ, mistakes, keys=keys)
    if mistakes:
        raise SettingsError(mistakes)
    warnings = (*_unknown(environ), *_in_clear(loaded), *_short(accounts))
    return Settings(accounts=accounts, warnings=warnings, **loaded)  # type: ignore[arg-type]


@functools.lru_cache(1)
def current() -> Settings:
    """The settings of this process, read when first asked for; raises ``SettingsError``."""
    return load()


def _together(loaded: Mapping[str, object], mistakes: Mapping[str, str]) -> dict[str, str]:
    found = {}
    base, cap = loaded.get("retry_base_seconds", 1), loaded.get("retry_cap_seconds", 300)
    if isinstance(base, int | float) and isinstance(cap, int | float) and base > cap:
        found["INTERAKT_RETRY_CAP_SECONDS"] = f"it is below INTERAKT_RETRY_BASE_SECONDS ({base:g}): raise it"
    if loaded.get("on_inbound") and not loaded.get("on_done_broker_url"):
        found["INTERAKT_ON_DONE_BROKER_URL"] = (
            "it is not set, and INTERAKT_ON_INBOUND needs it: set it, or unset that"
        )
    both = set(loaded.get("stop_words") or ()) & set(loaded.get("start_words") or ())  # type: ignore[call-overload]
    if both:
        found["INTERAKT_START_WORDS"] = (
            f"{sorted(both)[0]!r} is in INTERAKT_STOP_WORDS too: take it out of one"
        )
    return {name: text for name, text in found.items() if name not in mistakes}


def _in_clear(loaded: Mapping[str, object]) -> Iterator[str]:
    """What may be meant so, inside a provider's network, and is else read by anybody on the way."""
    for field_name, safe in (("redis_url", "rediss://"), ("on_done_broker_url", "rediss:// or amqps://")):
        parts = urlsplit(str(loaded.get(field_name) or ""))
        if parts.scheme in ("redis", "amqp", "pyamqp") and is_public(parts.hostname or ""):
            name = _SCHEMA.fields[field_name].data_key
            yield f"{name} goes to a public host in clear text, its password too: use {safe}"


def _short(accounts: Mapping[str, Account]) -> Iterator[str]:
    for account in accounts.values():
        if 0 < len(account.api_key.reveal()) < LEAST_SECRET:
            yield f"{variable_of(account.name)} is too short for a key: copy the Secret Key again"


def _unknown(environ: Mapping[str, str]) -> tuple[str, ...]:
    known = NAMES | ACCOUNT_NAMES | ELSEWHERE
    warnings = []
    for name in sorted(environ):
        if (
            not name.startswith("INTERAKT_")
            or name.startswith("INTERAKT_TEST_")
            or name.partition("__")[0] in known
        ):
            continue
        near = get_close_matches(name[:60].partition("__")[0], known, 1, 0.75)
        warnings.append(f"{name} is not a setting" + (f": did you mean {near[0]}?" if near else ""))
    return tuple(warnings)
