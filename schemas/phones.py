"""What a phone number is: an E.164 number of a country that exists, by ``phonenumbers``.

``read`` and ``read_full`` are for payloads, which must have digits alone; ``phone_text`` reads what people write. One
compiled pattern per country answers nearly every number in about a microsecond; only what it does not take goes to the
library, which is some fifty times slower.
"""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE as REGIONS
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumberType

from .words import kind

CHECKS = ("possible", "valid", "mobile")
POSSIBLE, VALID, MOBILE = 1, 2, 3
# How WhatsApp still writes some mobiles, and their number today: Mexico's 1, Brazil without the ninth digit, Argentina
# without the 9. The same table is in `interakt_jobs.recipient`, which does without `phonenumbers`.
FORMS = (
    (r"521([0-9]{10})", r"52\1"),
    (r"55([1-9]{2})([6-9][0-9]{7})", r"55\g<1>9\2"),
    (r"54([1-3][0-9]{9})", r"549\1"),
)
_FORMS = tuple((re.compile(form), number) for form, number in FORMS)
_CODE = re.compile(r"\+?([1-9][0-9]{0,2})")
_DIGITS = re.compile(r"[0-9]+")
_MOBILES = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)


class BadPhone(ValueError):
    """Raised with the ``field`` that is wrong and ``why``; it never repeats the number."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(field, why)
        self.field, self.why = field, why

    def __str__(self) -> str:
        return self.why


def read(country_code: object, phone: object) -> str:
    """The digits of a payload's ``phone`` with its country code; raises ``BadPhone``."""
    found = _CODE.fullmatch(country_code) if isinstance(country_code, str) else None
    if found is None:
        raise BadPhone("countryCode", 'must be a calling code such as "+91"')
    code = found[1]
    if int(code) not in REGIONS:
        raise BadPhone("countryCode", "is the calling code of no country")
    digits = _only_digits(phone, "phoneNumber", "the country code belongs in countryCode")
    if why := problem(code, digits):
        raise BadPhone("phoneNumber", why)
    return code + digits


def read_full(phone: object, field: str = "fullPhoneNumber") -> str:
    """``phone`` when it is a possible number's digits with country code; raises ``BadPhone`` for ``field``."""
    digits = _only_digits(phone, field, "write the country code without a plus sign")
    code, national = split(digits)
    if not code:
        raise BadPhone(field, "must begin with a country code, such as 91")
    if why := problem(code, national):
        raise BadPhone(field, why)
    return digits


def split(digits: str) -> tuple[str, str]:
    """Country code and national number of E.164 digits; the code is empty when there is none such."""
    for size in (2, 1, 3):
        if digits[:1] != "0" and digits[:size].isdecimal() and int(digits[:size]) in REGIONS:
            return digits[:size], digits[size:]
    return "", digits


def same_person(digits: str) -> str:
    """The number of whoever has these E.164 digits: one for all the forms in which WhatsApp writes it."""
    if digits[:2] in ("52", "54", "55"):
        for form, number in _FORMS:
            if found := form.fullmatch(digits):
                return found.expand(number)
    return digits


def is_likely(digits: str) -> bool:
    """Whether a possible number also has the form of its country's numbers."""
    code, national = split(same_person(digits))
    return bool(code and pattern(code, "general_desc").fullmatch(national))


def is_mobile(digits: str) -> bool:
    """Whether digits with a country code have the form of its mobiles."""
    code, national = split(digits)
    return bool(code and pattern(code, "mobile").fullmatch(national))


def problem(code: str, national: str) -> str:
    """Why no phone in the country of ``code`` can have these digits, or an empty string."""
    form = pattern(code, "general_desc")
    if form.fullmatch(national) or is_likely(code + national):
        return ""
    if national.startswith("0"):
        return "must not begin with 0: leave the trunk prefix out"
    if national.startswith(code) and form.fullmatch(national[len(code) :]):
        return "repeats the country code"
    digits, level = weighed(code, national)
    if not level or digits != code + national:
        return f"is no possible number: {len(national)} digits do not fit its country"
    return ""


def weighed(code: str, national: str) -> tuple[str, int]:
    """The digits of a number, and its level: 0 for none, else its place in ``CHECKS`` from 1."""
    digits = same_person(code + national)
    if is_mobile(digits):
        return digits, MOBILE
    try:
        number = phonenumbers.parse(f"+{digits}")
    except NumberParseException:
        return "", 0
    digits = same_person(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:])
    if phonenumbers.is_valid_number(number):
        return digits, MOBILE if phonenumbers.number_type(number) in _MOBILES else VALID
    return digits, int(phonenumbers.is_possible_number(number))


def _only_digits(phone: object, field: str, about_plus: str) -> str:
    if not isinstance(phone, str):
        raise BadPhone(field, f"must be text, not {kind(phone)}")
    if not phone:
        raise BadPhone(field, "must not be empty")
    if phone.startswith("+"):
        raise BadPhone(field, f"must be digits only: {about_plus}")
    if len(phone) > 64 or not _DIGITS.fullmatch(phone):
        raise BadPhone(field, "must be digits only, without spaces, dashes or letters")
    if len(phone) > 15:
        raise BadPhone(field, f"has {len(phone)} digits, at most 15 are possible")
    return phone


@lru_cache(maxsize=1024)
def pattern(code: str, of: str) -> re.Pattern[str]:
    """The ``general_desc``, ``mobile`` or ``fixed_line`` numbers of a calling code, of all its regions together."""
    found = [getattr(one, of) for one in _metadata(code)]
    patterns = [one.national_number_pattern for one in found if one and one.national_number_pattern]
    return re.compile("|".join(f"(?:{one})" for one in patterns) or r"(?!)")


@lru_cache(maxsize=512)
def mobile_lengths(code: str) -> frozenset[int]:
    """How many digits the national mobile numbers of a calling code may have."""
    return frozenset(length for one in _metadata(code) if one.mobile for length in one.mobile.possible_length)


def _metadata(code: str) -> list[PhoneMetadata]:
    regions = REGIONS.get(int(code), ())
    if regions == ("001",):
        return [found for found in [PhoneMetadata.metadata_for_nongeo_region(int(code), None)] if found]
    return [found for region in regions if (found := PhoneMetadata.metadata_for_region(region, None))]
