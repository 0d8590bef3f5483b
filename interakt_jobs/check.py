"""Payloads checked at run time against their TypedDicts, with the standard library alone.

Names and JSON types only, so that a misspelt key fails in the caller; limits and rules between fields are the
worker's.
"""

from __future__ import annotations

from typing import Any

from .checkers import Checker, compiled

MOST_ERRORS = 20
_checkers: dict[tuple[type[Any], bool], Checker] = {}


class PayloadError(ValueError):
    """Raised when a payload has a wrong name or type; ``errors`` maps each path to what is wrong there.

    It names no value: the text may go to a log.
    """

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(errors)
        self.errors = errors

    def __str__(self) -> str:
        return "; ".join(f"{path}: {what}" for path, what in self.errors.items())


def check(payload: object, shape: type[Any], *, allow_unknown: bool = False) -> None:
    """Raise ``PayloadError`` unless ``payload`` has the keys and JSON types of the TypedDict ``shape``.

    ``allow_unknown`` lets keys pass that the type does not have, at every level.
    """
    checker = _checkers.get((shape, allow_unknown))
    if checker is None:
        checker = _checkers[shape, allow_unknown] = compiled(shape, allow_unknown)
    if not checker.fits(payload):
        found = checker.problems(payload, "")
        raise PayloadError({path: what for (path, what), _ in zip(found, range(MOST_ERRORS), strict=False)})


def check_size(text: str, most: int) -> None:
    """Raise ``PayloadError`` when a payload's JSON has more than ``most`` bytes."""
    if 4 * len(text) > most and (size := len(text.encode("utf-8", "surrogatepass"))) > most:
        what = f"is {size:,} bytes as JSON, at most {most:,} are allowed (INTERAKT_MAX_PAYLOAD_BYTES)"
        raise PayloadError({"payload": what})
