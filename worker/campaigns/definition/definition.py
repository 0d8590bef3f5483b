"""A campaign as a checked value: what, to whom, when and under which rules."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from .errors import CampaignError
from .fields import Fields
from .message import Message
from .message import read as read_message
from .rules import Rules, Schedule, read_rules, read_schedule

MOST_BYTES = 1_048_576


@dataclass(frozen=True, slots=True)
class RecipientColumns:
    """Which columns say who the recipients are; one without a name is found by its heading (columns.py).

    ``keep`` names the columns that are kept for the export; None: all of a file's.
    """

    phone: str = ""
    country_code_column: str = ""
    timezone_column: str = ""
    country_code: str = "+91"
    timezone: str = ""
    check: str = "mobile"
    keep: tuple[str, ...] | None = None
    allow_empty_values: bool = False


@dataclass(frozen=True, slots=True)
class Definition:
    """A campaign. ``source`` is its canonical JSON: what is frozen when it is planned."""

    name: str
    account: str
    template: Message
    recipients: RecipientColumns = field(default_factory=RecipientColumns)
    schedule: Schedule = field(default_factory=Schedule)
    rules: Rules = field(default_factory=Rules)
    max_attempts: int = 5
    repeat: str = "never"
    source: str = ""

    @property
    def value_columns(self) -> tuple[str, ...]:
        """The columns whose values are kept per recipient, each once, in the order of their first use."""
        return tuple(dict.fromkeys(name for _, value in self.template.values() for name in value.columns))

    def payload(
        self, country_code: str, national: str, row: Mapping[str, str], campaign_id: str = ""
    ) -> dict[str, Any]:
        """One recipient's ``message/`` payload; ``row`` is column -> value."""
        made: dict[str, Any] = {
            "countryCode": country_code,
            "phoneNumber": national,
            "type": "Template",
            "template": self.template.render(row),
        }
        if campaign_id:
            made["campaignId"] = campaign_id
        if self.template.category:
            made["template_category"] = self.template.category
        return made


def load(path: Path | str) -> Definition:
    """Read a TOML file; raises ``CampaignError`` with every mistake, and ``OSError``."""
    raw = Path(path).read_bytes()
    if len(raw) > MOST_BYTES:
        raise CampaignError({"": f"the definition is larger than {MOST_BYTES} bytes"})
    try:
        return read(tomllib.loads(raw.decode("utf-8-sig")))
    except UnicodeDecodeError:
        raise CampaignError({"": "the definition must be saved as UTF-8"}) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise CampaignError({"": f"not TOML: {error}"}) from None


def read(table: Mapping[str, Any]) -> Definition:
    """Check a definition given as a dict; raises ``CampaignError`` with every mistake."""
    errors: dict[str, str] = {}
    fields = Fields(dict(table), errors)
    retry = fields.table("retry")
    made = Definition(
        name=fields.text("name", None, 200),
        account=fields.text("account", "default", 32),
        template=read_message(fields.table("template")),
        recipients=_recipients(fields.table("recipients")),
        schedule=read_schedule(fields.table("schedule")),
        rules=read_rules(fields.table("rules")),
        max_attempts=retry.integer("max_attempts", 5, 1, 50),
        repeat=retry.text("repeat", "never"),
        source=_canonical(table, errors),
    )
    if made.repeat not in ("never", "after_hold"):
        retry.wrong("repeat", "must be never or after_hold")
    if not re.fullmatch(r"[a-z0-9_]{1,32}", made.account):
        fields.wrong("account", "must be 1 to 32 lower-case letters, digits or underscores")
    retry.close()
    fields.close()
    if errors:
        raise CampaignError(errors)
    return made


def _recipients(fields: Fields) -> RecipientColumns:
    made = RecipientColumns(
        phone=fields.text("phone"),
        country_code_column=fields.text("country_code_column"),
        timezone_column=fields.text("timezone_column"),
        country_code=fields.text("country_code", "+91"),
        timezone=fields.text("timezone"),
        check=fields.text("check", "mobile"),
        keep=fields.names_of("keep"),
        allow_empty_values=fields.flag("allow_empty_values"),
    )
    if not re.fullmatch(r"\+?[1-9]\d{0,2}", made.country_code):
        fields.wrong("country_code", "must look like +91")
    if made.check not in ("mobile", "valid", "possible"):
        fields.wrong("check", "must be mobile, valid or possible")
    if made.timezone:
        try:
            ZoneInfo(made.timezone)
        except (ValueError, OSError, LookupError):
            fields.wrong("timezone", "no such time zone; one looks like Asia/Kolkata")
    fields.close()
    return made


def _canonical(table: Mapping[str, Any], errors: dict[str, str]) -> str:
    try:
        return json.dumps(dict(table), sort_keys=True, ensure_ascii=False, allow_nan=False, default=_plain)
    except (TypeError, ValueError, RecursionError):
        errors.setdefault("", "must hold text, numbers, times, lists and tables alone")
        return ""


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
