"""Phone numbers as people type them and as spreadsheets spoil them."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE as REGIONS
from phonenumbers import NumberParseException

from .phones import (
    CHECKS,
    MOBILE,
    POSSIBLE,
    VALID,
    BadPhone,
    is_mobile,
    mobile_lengths,
    pattern,
    same_person,
    split,
    weighed,
)

_LABEL = re.compile(r"\A(?:(?:https?://)?wa\.me/|[a-z]{1,12} ?[:.])", re.IGNORECASE)
_EXTENSION = re.compile(r"(?:x|ext|extn|extension|#)[ .:=]{0,3}[0-9]{1,7}\Z", re.IGNORECASE)
_SCIENTIFIC = re.compile(r"([0-9])(?:[.,]([0-9]+))?[eE]\+?([0-9]{1,2})")
_DECIMALS = re.compile(r"(?<=[0-9])[.,]0{1,2}\Z")
_LOST = "digits lost by a spreadsheet (scientific notation): format the column as text"
_QUOTES = "'`\"\u2018\u2019\u201c\u201d"
_SIGNS = re.compile(rf"[\s().\-/*_\[\]\u00b7\u2010-\u2015\u2212\uff0d\uff08\uff09{_QUOTES}]+")
_MOST_CHARACTERS, _MOST_DIGITS = 60, 19


class Phones:
    """Reads numbers as people write them. ``country_code`` completes those that have none.

    ``check`` is what a number must be: ``mobile`` (Interakt refuses landlines, interakt-api 3), ``valid`` (landlines too) or
    ``possible`` (a mobile's length alone, for numbers newer than the installed ``phonenumbers``). It decides what
    is refused, never which number a text stands for. ``full`` says that every number begins with its country code.
    """

    def __init__(self, country_code: str = "+91", check: str = "mobile", *, full: bool = False) -> None:
        self.code, self.full = country_code.lstrip("+"), full
        self._least = CHECKS.index(check) + 1
        self._mobile = pattern(self.code, "mobile")

    def read(self, raw: str, code: str = "") -> str:
        """The person's E.164 digits; raises ``BadPhone``.

        Without ``+`` or a code of its own it is a national number, or a full one of the list's country, or of another
        country if it is too long or too short to be a mistyped national one.
        """
        if not (code or self.full) and raw.isascii() and self._mobile.fullmatch(raw):
            return same_person(self.code + raw)
        text, plus = _cleaned(raw)
        if plus or self.full:
            own, national = split(text.lstrip("0"))
            if not own:
                raise BadPhone("phone", "no such country code")
            return self._checked(own, _likeliest(own, national, twice=len(own) > 1))
        own = _country(code) if code else self.code
        found, level = _likeliest(own, text)
        if level < VALID and text[0] == "0":
            found, level = _dialled(own, text) or (found, level)
        elif level < VALID and not code and len(text) not in mobile_lengths(own):
            abroad, national = split(text)
            other = _likeliest(abroad, national) if abroad else ("", 0)
            found, level = other if other[1] >= VALID or not level else (found, level)
        return self._checked(own, (found, level))

    def _checked(self, code: str, reading: tuple[str, int]) -> str:
        found, level = reading
        if level >= self._least:
            return found
        if level == VALID:
            raise BadPhone("phone", "not a mobile number")
        code = split(found)[0] or code
        what = "not a phone number of" if level else "wrong number of digits for"
        raise BadPhone("phone", f"{what} +{code}")


def _likeliest(code: str, text: str, *, twice: bool = True) -> tuple[str, int]:
    """What a number of a country is, and its level. A trunk 0 may be in front, or the country code (for the second time)."""
    bare = text.lstrip("0")
    rest = bare.removeprefix(code) if twice else bare
    nationals = dict.fromkeys((text, bare, rest, rest.lstrip("0")))
    for national in nationals:
        if is_mobile(digits := same_person(code + national)):
            return digits, MOBILE
    best = ("", 0)
    for national in nationals:
        digits, level = weighed(code, national)
        if level == POSSIBLE and len(digits) - len(code) not in mobile_lengths(code):
            continue
        if level > best[1]:
            best = digits, level
    return best


def _dialled(code: str, text: str) -> tuple[str, int] | None:
    """A number with a prefix for calls abroad, ``00`` or that of the country."""
    abroad, national = split(text[2:]) if text.startswith("00") else ("", "")
    if abroad and (found := _likeliest(abroad, national))[1]:
        return found
    try:
        number = phonenumbers.parse(text, phonenumbers.region_code_for_country_code(int(code)))
    except NumberParseException:
        return None
    found = weighed(str(number.country_code), phonenumbers.national_significant_number(number))
    return found if found[1] >= VALID else None


@lru_cache(maxsize=1024)
def _country(code: str) -> str:
    """A country code as a column has it (``+91``, ``91``, ``0091``), as digits; raises ``BadPhone``."""
    digits = _cleaned(code)[0].lstrip("0")
    if not digits or len(digits) > 3 or int(digits) not in REGIONS:
        raise BadPhone("countryCode", "no such country code")
    return digits


def _cleaned(raw: str) -> tuple[str, bool]:
    """Digits alone, of any script, and whether a plus sign was in front; raises ``BadPhone``."""
    text = raw.strip()
    if len(text) > _MOST_CHARACTERS:
        raise BadPhone("phone", "too long for a phone number")
    if not text.isascii():
        text = "".join(one for one in text if unicodedata.category(one) not in ("Cf", "Cc"))
    text = text.strip("=" + _QUOTES).strip()
    if found := _SCIENTIFIC.fullmatch(text):
        if len(found[2] or "") != int(found[3]):
            raise BadPhone("phone", _LOST)
        return found[1] + (found[2] or ""), False
    text = _LABEL.sub("", text)
    if _EXTENSION.search(text):
        raise BadPhone("phone", "has an extension: a message needs a number of its own")
    text = _SIGNS.sub("", _DECIMALS.sub("", text))
    plus = text[:1] in ("+", "\uff0b")
    digits = text[plus:]
    if not digits:
        raise BadPhone("phone", "no phone number")
    if not digits.isdecimal():
        what = "letters" if any(one.isalpha() for one in digits) else "signs"
        raise BadPhone("phone", f"{what} in the phone number")
    if len(digits) > _MOST_DIGITS:
        raise BadPhone("phone", "has more digits than a number: two in one cell?")
    return digits if digits.isascii() else "".join(str(unicodedata.decimal(one)) for one in digits), plus
