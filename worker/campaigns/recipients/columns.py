"""Which column is what: the phone, its country code, the time zone, and the template's values."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from worker.campaigns.definition.definition import Definition
from worker.campaigns.errors import CampaignError

_FULL = ("fullphonenumber",)
_PHONES = (
    *("phone", "phonenumber", "phoneno", "mobile", "mobilenumber", "mobileno", "whatsapp", "whatsappnumber"),
    *("contactnumber", "msisdn", "cell", "cellphone", "telephone", "tel"),
)
_CODES = ("countrycode", "dialcode", "dialingcode", "isdcode")
_ZONES = ("timezone", "tz")


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns to read: phone, then country code and time zone where there are any, then values."""

    phone: str
    country_code: str
    timezone: str
    values: tuple[str, ...]
    full: bool = False

    @property
    def wanted(self) -> list[str]:
        return [name for name in (self.phone, self.country_code, self.timezone) if name] + list(self.values)


def match(available: Sequence[str], definition: Definition) -> Columns:
    """Match a source's columns to a definition; raises ``CampaignError`` with every missing column."""
    errors: dict[str, str] = {}
    asked = definition.recipients
    full = _found(available, _FULL)
    phones = full or _found(available, _PHONES)
    phone = asked.phone or (phones[0] if phones else "")
    if not asked.phone and len(phones) > 1:
        errors["recipients.phone"] = f"several columns may be the phone number: {', '.join(phones)}; name one"
    elif not phone:
        errors["recipients.phone"] = f"no column for the phone number; there are: {_some(available)}"
    codes = _found(available, _CODES) if not full or asked.phone else []
    zones = _found(available, _ZONES)
    made = Columns(
        phone,
        asked.country_code_column or (codes[0] if codes else ""),
        asked.timezone_column or (zones[0] if zones else ""),
        definition.value_columns,
        full=phone in full,
    )
    for path, name in (
        ("recipients.phone", asked.phone),
        ("recipients.country_code_column", asked.country_code_column),
        ("recipients.timezone_column", asked.timezone_column),
        *((path, name) for path, value in definition.template.values() for name in value.columns),
    ):
        if name and name not in available:
            errors[path] = f"no column {name!r}; {_nearest(name, available)}"
    if errors:
        raise CampaignError(errors)
    return made


def is_phone(name: str) -> bool:
    """Whether a column of this name would be taken for the phone number or its code."""
    return bool(_found([name], (*_FULL, *_PHONES, *_CODES)))


def _found(available: Sequence[str], names: Sequence[str]) -> list[str]:
    plain = {name: re.sub(r"[\W_]", "", name.lower()) for name in available}
    return [name for wanted in names for name in available if plain[name] == wanted]


def _nearest(name: str, available: Sequence[str]) -> str:
    lowered = {column.lower(): column for column in available}
    near = difflib.get_close_matches(name.lower(), list(lowered), 1)
    return f"did you mean {lowered[near[0]]!r}?" if near else f"there are: {_some(available)}"


def _some(available: Sequence[str]) -> str:
    shown = ", ".join(available[:20])[:500]
    return shown + (" ..." if len(available) > 20 else "")
