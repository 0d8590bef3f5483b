"""Phone numbers: what cannot be one is refused, whatever might be is not.

One compiled pattern per country code answers nearly every number in about a microsecond; only what it does not take
goes to ``phonenumbers``, which is some fifty times slower.
"""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE as REGIONS
from phonenumbers import NumberParseException, PhoneMetadata

from .words import kind

_CODE = re.compile(r"\+?([1-9][0-9]{0,2})")
_DIGITS = re.compile(r"[0-9]+")


class BadPhone(ValueError):
    """Raised with the ``field`` that is wrong and ``why``; it never repeats the number."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(field, why)
        self.field, self.why = field, why


def read(country_code: object, phone: object) -> str:
    """The digits of ``phone`` with its country code; raises ``BadPhone``."""
    found = _CODE.fullmatch(country_code) if isinstance(country_code, str) else None
    if found is None:
        raise BadPhone("countryCode", 'must be a calling code such as "+91"')
    code = found[1]
    if int(code) not in REGIONS:
        raise BadPhone("countryCode", "is the calling code of no country")
    _check_digits(phone, "phoneNumber", "the country code belongs in countryCode")
    assert isinstance(phone, str)
    if why := problem(code, phone):
        raise BadPhone("phoneNumber", why)
    return code + phone


def read_full(phone: object, field: str = "fullPhoneNumber") -> str:
    """``phone`` when it is a possible number's digits with country code; raises ``BadPhone`` for ``field``."""
    _check_digits(phone, field, "write the country code without a plus sign")
    assert isinstance(phone, str)
    code, national = split(phone)
    if not code:
        raise BadPhone(field, "must begin with a country code, such as 91")
    if why := problem(code, national):
        raise BadPhone(field, why)
    return phone


def split(digits: str) -> tuple[str, str]:
    """Country code and national number of digits; the code is empty when there is none such."""
    for size in (2, 1, 3):
        if digits[0] != "0" and int(digits[:size]) in REGIONS:
            return digits[:size], digits[size:]
    return "", digits


def is_likely(digits: str) -> bool:
    """Whether a possible number also has the form of its country's numbers."""
    code, national = split(digits)
    return bool(code and _pattern(code).fullmatch(national))


def problem(code: str, national: str) -> str:
    """Why no phone in the country of ``code`` can have these digits, or an empty string."""
    if _pattern(code).fullmatch(national):
        return ""
    if national.startswith("0"):
        return "must not begin with 0: leave the trunk prefix out"
    if national.startswith(code) and _pattern(code).fullmatch(national[len(code) :]):
        return "repeats the country code"
    if not _is_possible(code, national):
        return f"is no possible number: {len(national)} digits do not fit its country"
    return ""


def _check_digits(phone: object, field: str, about_plus: str) -> None:
    if not isinstance(phone, str):
        raise BadPhone(field, f"must be text, not {kind(phone)}")
    if not phone:
        raise BadPhone(field, "must not be empty")
    if phone.startswith("+"):
        raise BadPhone(field, f"must be digits only: {about_plus}")
    if not _DIGITS.fullmatch(phone):
        raise BadPhone(field, "must be digits only, without spaces, dashes or letters")
    if len(phone) > 15:
        raise BadPhone(field, f"has {len(phone)} digits, at most 15 are possible")


@lru_cache(maxsize=512)
def _pattern(code: str) -> re.Pattern[str]:
    """The numbers of a calling code, of all its regions together."""
    patterns = []
    for region in REGIONS.get(int(code), ()):
        if region == "001":
            found = PhoneMetadata.metadata_for_nongeo_region(int(code), None)
        else:
            found = PhoneMetadata.metadata_for_region(region, None)
        if found and found.general_desc and found.general_desc.national_number_pattern:
            patterns.append(found.general_desc.national_number_pattern)
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns) or r"(?!)")


def _is_possible(code: str, national: str) -> bool:
    try:
        number = phonenumbers.parse(f"+{code}{national}")
    except NumberParseException:
        return False
    return phonenumbers.is_possible_number(number)
