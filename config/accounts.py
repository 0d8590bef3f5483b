"""Accounts from the environment: unsuffixed names are `default`'s, `__BRAND_B` at the end makes `brand_b`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from marshmallow import ValidationError

from .declaration import schema_of
from .schema import Account
from .secret import Secret

DEFAULT = "default"
_SCHEMA = schema_of(Account)
NAMES = frozenset(str(field.data_key) for field in _SCHEMA.fields.values())
_PASSES = "a webhook of one could then pass for the other's: copy each account's own"
OWN = {
    "INTERAKT_API_KEY": "one key has one limit: remove one of them",
    "INTERAKT_WEBHOOK_SECRET": _PASSES,
    "INTERAKT_WEBHOOK_SECRET_OLD": _PASSES,
}
_NAME = re.compile(r"[a-z0-9_]{1,32}\Z")


def variable_of(account: str, name: str = "INTERAKT_API_KEY") -> str:
    """The variable of an account that has its key, or what ``name`` says."""
    return name if account == DEFAULT else f"{name}__{account.upper()}"


def read_accounts(
    environ: Mapping[str, str], mistakes: dict[str, str], *, keys: bool = True
) -> dict[str, Account]:
    """All accounts; what is wrong is added to ``mistakes`` by variable.

    Without ``keys``, an account without a key is no mistake (a process that makes no calls).
    """
    accounts: dict[str, Account] = {}
    groups = _groups(environ, mistakes)
    for name, values in sorted(groups.items(), key=lambda group: (group[0] != DEFAULT, group[0])):
        suffix = variable_of(name, "")
        missing = "INTERAKT_API_KEY" not in values
        if missing and keys and name != DEFAULT:
            mistakes[f"{min(values)}{suffix}"] = f"it has no key: set INTERAKT_API_KEY{suffix}, or unset this"
        inherited = {
            known: environ[known].strip() for known in NAMES - set(OWN) if environ.get(known, "").strip()
        }
        try:
            loaded = _SCHEMA.load({"INTERAKT_API_KEY": "", **inherited, **values})
        except ValidationError as error:
            for variable, messages in error.messages_dict.items():
                mistakes[f"{variable}{suffix if variable in values else ''}"] = str(messages[0])
            continue
        if not (missing and keys):
            accounts[name] = Account(name=name, **loaded)
            if loaded["webhook_secret_old"] and not loaded["webhook_secret"]:
                mistakes[f"INTERAKT_WEBHOOK_SECRET_OLD{suffix}"] = (
                    f"there is no newer one: use INTERAKT_WEBHOOK_SECRET{suffix}"
                )
    _same_secrets(accounts, mistakes)
    given = any("INTERAKT_API_KEY" in values for values in groups.values())
    if keys and not given and not any(name.startswith("INTERAKT_API_KEY") for name in mistakes):
        mistakes["INTERAKT_API_KEY"] = (
            "it is missing: set it to the Secret Key of Interakt's Developer Settings"
        )
    return accounts


def _groups(environ: Mapping[str, str], mistakes: dict[str, str]) -> dict[str, dict[str, str]]:
    groups: dict[str, dict[str, str]] = {}
    for variable, value in environ.items():
        known, mark, suffix = variable.partition("__")
        if known not in NAMES or not value.strip():
            continue
        name = suffix.lower() if mark else DEFAULT
        if mark and (not _NAME.match(name) or suffix != suffix.upper()):
            mistakes[variable] = (
                "the suffix is no account: use __ and capitals, digits and underscores, at most 32"
            )
        elif mark and name == DEFAULT:
            mistakes[variable] = f"the account `default` has no suffix: use {known}"
        else:
            groups.setdefault(name, {})[known] = value.strip()
    return groups


def _same_secrets(accounts: dict[str, Account], mistakes: dict[str, str]) -> None:
    seen: dict[Secret, str] = {}
    for known, why in OWN.items():
        for name, account in accounts.items():
            secret = getattr(account, known.removeprefix("INTERAKT_").lower())
            if not secret or not secret.reveal():
                continue
            other = seen.setdefault(secret, name)
            if other != name:
                mistakes[variable_of(name, known)] = f"it is that of the account {other!r} too, and {why}"
