"""The cheap checks of one recipient's own part: a phone number and the values of a template's variables."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import import_module

from .invalid import Invalid
from .words import kind, text_problem

_FORBIDDEN = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029]| {4}")
EMPTY = "must not be empty"
_LINES = "\n\r\x0b\x0c\x85\u2028\u2029"


def value_problem(value: str) -> str:
    """Why Interakt would refuse this value of a variable (interakt-api 3 and 5), or an empty string."""
    found = _FORBIDDEN.search(value)
    if found is None:
        return text_problem(value) if value and not value.isspace() else EMPTY
    if found[0] in _LINES:
        return "must be one line, it has a line break"
    if found[0] == "\t":
        return "must not have a tab in it"
    if found[0] == "    ":
        return "must not have four or more spaces in a row"
    return "must not have a control character in it"


def check_values(values: Iterable[object], path: str = "bodyValues") -> None:
    """Raise ``Invalid`` unless every value of a template's variables is one line of text that is not empty."""
    errors = {}
    for index, value in enumerate(values):
        why = value_problem(value) if isinstance(value, str) else f"must be text, not {kind(value)}"
        if why:
            errors[f"{path}[{index}]"] = why
    if errors:
        raise Invalid(errors)


def check_recipient(country_code: object, phone: object) -> str:
    """The digits of a possible number with its country code; ``+91`` if that is None. Raises ``Invalid``."""
    phones = import_module("schemas.phones")
    try:
        return str(phones.read("+91" if country_code is None else country_code, phone))
    except phones.BadPhone as error:
        raise Invalid({error.field: error.why}) from None
