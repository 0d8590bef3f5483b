"""Phone numbers as people type them and as spreadsheets spoil them: E.164 digits, or the reason why not.

One compiled pattern per country code answers most rows in about a microsecond; only what it does not
take goes to ``phonenumbers``, which is some fifty times slower.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE as REGIONS
from phonenumbers import PhoneMetadata, PhoneNumberType

_MOBILE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
_SCIENTIFIC = re.compile(r"(\d)(?:[.,](\d+))?[eE]\+?(\d{1,2})")
_DROPPED = re.compile(r"[\s\u00a0\u2007\u200b-\u200f\u202a-\u202f\u2060\ufeff().\-\u2010-\u2015/]+")
_DECIMALS = re.compile(r"(?<=\d{6})[.,]0{1,2}\Z")
_MOST_CHARACTERS, _MOST_DIGITS = 40, 20


class BadPhone(ValueError):
    """Raised with the reason why a number is none."""


def split(digits: str) -> tuple[str, str]:
    """Country calling code and national number of E.164 digits; the code is empty when there is none such."""
    for size in (2, 1, 3):
        if digits[:size].isdigit() and int(digits[:size]) in REGIONS:
            return digits[:size], digits[size:]
    return "", digits


@lru_cache(maxsize=512)
def _pattern(code: str) -> re.Pattern[str]:
    """The mobile numbers of a calling code, of all its regions together."""
    patterns = []
    for region in REGIONS.get(int(code), ()):
        metadata = PhoneMetadata.metadata_for_region(region, None)
        if metadata and metadata.mobile and metadata.mobile.national_number_pattern:
            patterns.append(metadata.mobile.national_number_pattern)
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns) or r"(?!)")


@lru_cache(maxsize=512)
def _mobile_lengths(code: str) -> frozenset[int]:
    """How many digits the national mobile numbers of a calling code may have."""
    found = (PhoneMetadata.metadata_for_region(region, None) for region in REGIONS.get(int(code), ()))
    return frozenset(
        length for data in found if data and data.mobile for length in data.mobile.possible_length
    )


class Phones:
    """Reads numbers for one list of recipients.

    ``country_code`` completes numbers that have none. ``check`` is ``mobile`` (Interakt refuses landlines,
    interakt-api 3.1), ``valid`` (landlines too) or ``possible`` (the length alone, for a numbering plan that is
    newer than the installed ``phonenumbers``). ``full`` says that every number begins with its country code.
    """

    def __init__(self, country_code: str = "+91", check: str = "mobile", *, full: bool = False) -> None:
        self.code = country_code.lstrip("+")
        self.check = check
        self.full = full
        self._own = _pattern(self.code)
        self._own_lengths = _mobile_lengths(self.code)

    def read(self, raw: str, code: str = "") -> str:
        """The E.164 digits; raises ``BadPhone``.

        Without ``+`` or a code of its own, it is a national number, or a full one of the list's country, or
        of another country if it is too long or too short to be a mistyped national one.
        """
        plain = raw.isascii() and raw.isdigit() and raw[0] != "0" and len(raw) <= _MOST_DIGITS
        text, international = (raw, False) if plain else _clean(raw)
        if international or self.full:
            return self._full(text)
        if code:
            own = _country(code)
        elif self._own.fullmatch(text):
            return self.code + text
        else:
            own = self.code
        pattern = _pattern(own)
        if pattern.fullmatch(text):
            return own + text
        if text.startswith(own) and pattern.fullmatch(text[len(own) :]):
            return text
        try:
            return self._slow(own, text)
        except BadPhone:
            if code or len(text) in self._own_lengths:
                raise
            try:
                return self._full(text)
            except BadPhone:
                pass
            raise

    def _full(self, digits: str) -> str:
        code, national = split(digits)
        if not code:
            raise BadPhone("no such country code")
        if _pattern(code).fullmatch(national):
            return digits
        return self._slow(code, f"+{digits}")

    def _slow(self, code: str, text: str) -> str:
        try:
            number = phonenumbers.parse(text, phonenumbers.region_code_for_country_code(int(code)))
        except phonenumbers.NumberParseException:
            raise BadPhone(f"not a phone number of +{code}") from None
        if number.country_code != int(code) or not phonenumbers.is_possible_number(number):
            raise BadPhone(f"wrong number of digits for +{code}")
        if self.check != "possible" and not phonenumbers.is_valid_number(number):
            raise BadPhone(f"not a phone number of +{code}")
        if self.check == "mobile" and phonenumbers.number_type(number) not in _MOBILE:
            raise BadPhone("not a mobile number")
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:]


@lru_cache(maxsize=1024)
def _country(code: str) -> str:
    """A country code as a column has it (``+91``, ``91``, ``0091``), as digits; raises ``BadPhone``."""
    digits = _clean(code)[0].lstrip("0")
    if not digits or len(digits) > 3 or int(digits) not in REGIONS:
        raise BadPhone("no such country code")
    return digits


def _clean(raw: str) -> tuple[str, bool]:
    """Digits alone, and whether the country code is among them (``+`` or ``00`` in front)."""
    if len(raw) > _MOST_CHARACTERS:
        raise BadPhone("too long for a phone number")
    text = raw.strip().lstrip("'`\u2018\u2019").strip().strip('"')
    if not text:
        raise BadPhone("no phone number")
    if found := _SCIENTIFIC.fullmatch(text):
        fraction, power = found[2] or "", int(found[3])
        if len(fraction) != power:
            raise BadPhone("digits lost by a spreadsheet (scientific notation): format the column as text")
        return found[1] + fraction, False
    text = _DROPPED.sub("", _DECIMALS.sub("", text))
    plus = text[:1] in ("+", "\uff0b")
    digits = text[1:] if plus else text
    if not digits.isdecimal():
        raise BadPhone("letters or signs in the phone number")
    if not digits.isascii():
        digits = "".join(str(unicodedata.decimal(digit)) for digit in digits)
    if not plus and digits.startswith("00"):
        return digits[2:], True
    return digits, plus
