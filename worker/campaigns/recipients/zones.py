"""A recipient's time zone: from a column, else from the number.

A number may lie in several zones (an Australian mobile, a Portuguese one). Then its zone is all of them,
written ``Atlantic/Azores|Europe/Lisbon``, and nothing is sent unless the window is open in each. As in
``phonenumbers.timezone``, the first digits tell a place in landline numbers, and in mobile ones of a few countries, alone.
"""

from __future__ import annotations

from functools import lru_cache
from zoneinfo import ZoneInfo

from phonenumbers import PhoneNumberType
from phonenumbers.phonenumberutil import is_number_type_geographical
from phonenumbers.tzdata import TIMEZONE_DATA, TIMEZONE_LONGEST_PREFIX

from schemas.phones import pattern, split

# Old names that newer time zone packages leave out, for those that phonenumbers has.
_RENAMED = {
    "Asia/Calcutta": "Asia/Kolkata",
    "Asia/Katmandu": "Asia/Kathmandu",
    "Asia/Rangoon": "Asia/Yangon",
    "Asia/Saigon": "Asia/Ho_Chi_Minh",
    "America/Buenos_Aires": "America/Argentina/Buenos_Aires",
}


@lru_cache(maxsize=2048)
def zone_info(name: str) -> ZoneInfo | None:
    """The zone, or None when this machine knows none of that name."""
    try:
        return ZoneInfo(_RENAMED.get(name, name))
    except (ValueError, OSError, LookupError):
        return None


@lru_cache(maxsize=65_536)
def _of_prefix(prefix: str) -> str:
    for size in range(len(prefix), 0, -1):
        if found := TIMEZONE_DATA.get(prefix[:size]):
            return "|".join(sorted({_RENAMED.get(name, name) for name in found if zone_info(name)}))
    return ""


@lru_cache(maxsize=512)
def _mobiles_tell_a_place(code: str) -> bool:
    return bool(is_number_type_geographical(PhoneNumberType.MOBILE, int(code or 0)))


class Zones:
    """Finds zones for one list; ``default`` is for numbers whose country has none (UTC when empty)."""

    def __init__(self, default: str = "") -> None:
        self.default = default or "UTC"

    def of(self, digits: str) -> str:
        """The zone or zones of a number of E.164 digits."""
        code, national = split(digits)
        place = _mobiles_tell_a_place(code) or (code and pattern(code, "fixed_line").fullmatch(national))
        return _of_prefix(digits[:TIMEZONE_LONGEST_PREFIX] if place else code) or self.default

    def named(self, name: str) -> str:
        """The zone of that name, or an empty string when there is none."""
        return name if len(name) <= 64 and zone_info(name) else ""
