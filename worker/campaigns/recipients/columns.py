"""Finds which column is what: the phone, its country code, the time zone, and the template's values."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from worker.campaigns.definition.definition import Definition
from worker.campaigns.definition.errors import CampaignError

_FULL = ("fullphonenumber",)
_PHONE_NAMES = (
    "phone phonenumber phoneno mobile mobilenumber mobileno whatsapp whatsappnumber contactnumber msisdn cell cellphone"
    " telephone tel telefon telefono telefone handy celular movil nomorhp मोबाइल फ़ोन फोन"
)
_PHONES = tuple(_PHONE_NAMES.split())
_CODES = ("countrycode", "dialcode", "dialingcode", "isdcode")
_ZONES = ("timezone", "tz")


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns to read: phone, then country code and time zone where there are any, then values.

    ``own`` are those that are kept for the export alone.
    """

    phone: str
    country_code: str
    timezone: str
    values: tuple[str, ...]
    full: bool = False
    own: tuple[str, ...] = ()

    @property
    def wanted(self) -> list[str]:
        return [name for name in (self.phone, self.country_code, self.timezone) if name] + list(self.values)


def match(available: Sequence[str], definition: Definition, keeps: bool = False) -> Columns:
    """Match a source's columns to a definition; raises ``CampaignError`` with every missing column.

    ``keeps``: every other column is kept too, unless the definition says which.
    """
    asked = definition.recipients
    errors: dict[str, str] = {}
    try:
        phone, code, full = phone_columns(available, asked.phone, asked.country_code_column)
    except CampaignError as error:
        errors, (phone, code, full) = error.errors, ("", "", False)
    zones = _found(available, _ZONES)
    zone = asked.timezone_column or (zones[0] if zones else "")
    errors |= _not_there(available, "recipients.timezone_column", zone)
    for path, value in definition.template.values():
        for name in value.columns:
            errors |= _not_there(available, path, name)
    for name in asked.keep or ():
        errors |= _not_there(available, "recipients.keep", name)
    if errors:
        raise CampaignError(errors)
    made = Columns(phone, code, zone, definition.value_columns, full)
    keep = asked.keep if asked.keep is not None else available if keeps else ()
    return replace(made, own=tuple(name for name in dict.fromkeys(keep) if name and name not in made.wanted))


def phone_columns(available: Sequence[str], phone: str = "", code: str = "") -> tuple[str, str, bool]:
    """The columns of the phone and its country code, and whether numbers have theirs; the names given, or found.

    Raises ``CampaignError``.
    """
    full = _found(available, _FULL)
    phones = full or _found(available, _PHONES)
    if not phone and len(set(phones)) > 1:
        why = f"several columns may be the phone number: {', '.join(phones)}; name one"
        raise CampaignError({"recipients.phone": why})
    if not phone and not phones:
        raise CampaignError(
            {"recipients.phone": f"no column for the phone number; there are: {_some(available)}"}
        )
    codes = _found(available, _CODES) if not full or phone else []
    found = phone or phones[0], code or (codes[0] if codes else ""), (phone or phones[0]) in full
    errors = _not_there(available, "recipients.phone", found[0])
    errors |= _not_there(available, "recipients.country_code_column", found[1])
    if errors:
        raise CampaignError(errors)
    return found


def is_phone(name: str) -> bool:
    """Whether a column of this name would be taken for the phone number or its code."""
    return bool(_found([name], (*_FULL, *_PHONES, *_CODES)))


def _found(available: Sequence[str], names: Sequence[str]) -> list[str]:
    plain = {name: _plain(name) for name in available}
    return [name for wanted in names for name in available if plain[name] == _plain(wanted)]


@lru_cache(maxsize=4096)
def _plain(name: str) -> str:
    """Letters and digits alone, without accents."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKD", name[:200].lower()))


def _not_there(available: Sequence[str], path: str, name: str) -> dict[str, str]:
    if name and name not in available:
        return {path: f"no column {name!r}; {_nearest(name, available)}"}
    return {path: f"two columns have the same name: {name}"} if available.count(name) > 1 and name else {}


def _nearest(name: str, available: Sequence[str]) -> str:
    lowered = {column[:60].lower(): column for column in available[:1000]}
    near = difflib.get_close_matches(name[:60].lower(), list(lowered), 1)
    return f"did you mean {lowered[near[0]]!r}?" if near else f"there are: {_some(available)}"


def _some(available: Sequence[str]) -> str:
    shown = ", ".join(available[:20])[:500]
    return shown + (" ..." if len(available) > 20 else "")
