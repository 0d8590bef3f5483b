"""Phone numbers, as far as Interakt checks them before anything else (interakt-api 3.1)."""

from __future__ import annotations

import re
from typing import Any

from sandbox.answers import BAD_PHONE, Refused

_TWO_DIGITS = re.compile(r"2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]")
_CODE = re.compile(r"\+?[1-9][0-9]{0,2}")
_NATIONAL = re.compile(r"[1-9][0-9]{4,13}")
_FULL = re.compile(r"[1-9][0-9]{6,14}")
_INDIAN_MOBILE = re.compile(r"91[6-9][0-9]{9}")


def read(body: dict[str, Any]) -> str:
    """The digits, with country code, of ``fullPhoneNumber`` or ``countryCode`` (+91) and ``phoneNumber``.

    Raises ``Refused`` for anything malformed. Indian numbers must be mobile ones; of others only the
    length is checked.
    """
    full = body.get("fullPhoneNumber")
    if full:
        return checked(full)
    code, national = body.get("countryCode", "+91"), body.get("phoneNumber")
    if not isinstance(code, str) or not isinstance(national, str):
        raise Refused(BAD_PHONE)
    if not _CODE.fullmatch(code) or not _NATIONAL.fullmatch(national):
        raise Refused(BAD_PHONE)
    return checked(code.removeprefix("+") + national)


def checked(full: Any) -> str:
    """``full`` when it is a possible number of digits with country code; else raises ``Refused``."""
    if not isinstance(full, str) or not _FULL.fullmatch(full):
        raise Refused(BAD_PHONE)
    if full.startswith("91") and not _INDIAN_MOBILE.fullmatch(full):
        raise Refused(BAD_PHONE)
    return full


def split(full: str) -> tuple[str, str]:
    """Country code (with ``+``) and national number of digits with country code."""
    size = 1 if full[:1] in "17" else 2 if _TWO_DIGITS.match(full) else 3
    return "+" + full[:size], full[size:]
