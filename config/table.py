"""The settings as a table in Markdown: ``python -m config.table > docs/settings.md``."""

from __future__ import annotations

import sys
from typing import Any

from marshmallow import Schema, missing

from .declaration import schema_of
from .schema import Account, Settings

HEAD = """# Settings

All come from the environment. `python -m worker doctor` checks them, Redis and the keys, and says what to
fix; a worker reports all mistakes at once and does not start. An empty value counts as unset. A name that begins
with `INTERAKT_` and is none of these is reported with the nearest one that is.
"""
ACCOUNT = """
## Each account

One account is one Interakt API key with its own limit. These names are the account `default`. With two
underscores and a name in capitals at the end (`INTERAKT_API_KEY__BRAND_B`) they are a further account, here
`brand_b`; what it does not set is the unsuffixed value, except its key and its webhook secret.
"""
GENERAL = "\n## The deployment\n"


def markdown() -> str:
    """The whole page."""
    return HEAD + ACCOUNT + _table(schema_of(Account)) + GENERAL + _table(schema_of(Settings))


def _table(schema: Schema) -> str:
    rows = ["", "| name | default | value | what |", "|---|---|---|---|"]
    for field in schema.fields.values():
        allowed = getattr(field, "allowed", "text")
        cells = (f"`{field.data_key}`", _default(field.load_default), allowed, field.metadata["what"])
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows) + "\n"


def _default(value: Any) -> str:
    if value is missing:
        return "needed"
    if value is None or value == ():
        return ""
    if isinstance(value, bool):
        return "`on`" if value else "`off`"
    if isinstance(value, dict):
        value = ",".join(f"{name}={share}" for name, share in value.items())
    if isinstance(value, tuple):
        value = ",".join(value)
    return f"`{value}`"


if __name__ == "__main__":
    sys.stdout.write(markdown())
