"""Payloads checked at run time against their TypedDicts, with the standard library alone.

Names and JSON types only, so that a misspelt key fails in the caller; limits and rules between fields are the
worker's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from .errors import PayloadError
from .words import hint, is_json, joined, kind, not_json, shown

MOST_ERRORS = 20
Path = tuple[str | int, ...]


class Report:
    """What is wrong with a payload, by path."""

    __slots__ = ("errors",)

    def __init__(self) -> None:
        self.errors: dict[str, str] = {}

    def add(self, path: Path, what: str) -> None:
        """Note a problem; raises ``PayloadError`` when it is the last one that is listed."""
        text = ""
        for part in path:
            text = f"{text}[{part}]" if isinstance(part, int) else joined(text, part)
        self.errors[text or "payload"] = what
        if len(self.errors) == MOST_ERRORS:
            raise PayloadError(self.errors)


Check = Callable[[Any, Path, Report], None]


def check(payload: object, shape: Any, *, allow_unknown: bool = False) -> None:
    """Raise ``PayloadError`` unless ``payload`` has the keys and JSON types of the TypedDict ``shape``.

    ``allow_unknown`` lets keys pass that the type does not have, at every level.
    """
    report = Report()
    _compiled(shape, allow_unknown)(payload, (), report)
    if report.errors:
        raise PayloadError(report.errors)


def check_size(text: str, most: int) -> None:
    """Raise ``PayloadError`` when a payload's JSON has more than ``most`` bytes."""
    if 4 * len(text) > most and (size := len(text.encode("utf-8", "surrogatepass"))) > most:
        what = f"is {size:,} bytes as JSON, at most {most:,} are allowed (INTERAKT_MAX_PAYLOAD_BYTES)"
        raise PayloadError({"payload": what})


def is_sound(text: str) -> bool:
    """Whether a text can be written as UTF-8."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def not_sound(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Where the texts are that cannot, and why."""
    if isinstance(value, str):
        if not is_sound(value):
            yield path or "payload", "has half of a surrogate pair, which no UTF-8 text has: fix what cut it"
    elif isinstance(value, dict):
        for key, one in value.items():
            at = joined(path, str(key).encode("ascii", "backslashreplace").decode())
            yield from not_sound(str(key), at)
            yield from not_sound(one, at)
    elif isinstance(value, list | tuple):
        for index, one in enumerate(value):
            yield from not_sound(one, f"{path}[{index}]")


@cache
def _compiled(wanted: Any, allow_unknown: bool) -> Check:
    """The check of a type: a TypedDict, list, dict, ``Literal``, a union, ``Any`` or a simple one."""
    if is_typeddict(wanted):
        other = _any if allow_unknown else None
        return _object(get_type_hints(wanted), wanted.__required_keys__, other, allow_unknown)
    origin, args = get_origin(wanted), get_args(wanted)
    if origin is list:
        return _list(args[0], allow_unknown)
    if origin is dict:
        return _object({}, frozenset(), _compiled(args[1], allow_unknown), allow_unknown)
    if origin is Literal:
        return _literal(args)
    if origin in (Union, UnionType):
        return _union(args, allow_unknown)
    return _any if wanted is Any else _simple(wanted)


_PLAIN = (str, bool)  # an exact type says all: most values are text, and need no call
_NAMES = {str: "text", int: "a whole number", bool: "true or false", list: "a list", NoneType: "null"}


def _simple(wanted: type) -> Check:
    def check(value: Any, path: Path, report: Report) -> None:
        fits = isinstance(value, wanted)
        if wanted is int:
            fits = fits and not isinstance(value, bool) and is_json(value)
        if not fits:
            report.add(path, f"must be {_NAMES[wanted]}, not {kind(value)}")

    return check


def _any(value: Any, path: Path, report: Report) -> None:
    if not is_json(value):
        report.add(path, not_json(value))


def _literal(allowed: tuple[str, ...]) -> Check:
    words = " or ".join(f'"{one}"' for one in allowed)

    def check(value: Any, path: Path, report: Report) -> None:
        if not isinstance(value, str) or value not in allowed:
            report.add(path, f"must be {words}" + ("" if isinstance(value, str) else f", not {kind(value)}"))

    return check


def _union(wanted: tuple[Any, ...], allow_unknown: bool) -> Check:
    kinds = {one: dict if is_typeddict(one) else get_origin(one) or one for one in wanted}
    checks = [
        ((list, tuple) if kinds[one] is list else kinds[one], _compiled(one, allow_unknown)) for one in wanted
    ]
    words = " or ".join(_NAMES.get(found, "an object") for found in kinds.values())

    def check(value: Any, path: Path, report: Report) -> None:
        for types, fits in checks:
            if isinstance(value, types):
                return fits(value, path, report)
        return report.add(path, f"must be {words}, not {kind(value)}")

    return check


def _list(wanted: Any, allow_unknown: bool) -> Check:
    item, plain = _compiled(wanted, allow_unknown), wanted if wanted in _PLAIN else None

    def check(value: Any, path: Path, report: Report) -> None:
        if not isinstance(value, list | tuple):
            return report.add(path, f"must be a list, not {kind(value)}")
        for index, one in enumerate(value):
            if type(one) is not plain:
                item(one, (*path, index), report)
        return None

    return check


def _object(
    types: dict[str, Any], required: frozenset[str], other: Check | None, allow_unknown: bool
) -> Check:
    """An object with keys of these types; ``other`` checks the values of all other keys, None refuses those."""
    checks = {name: _compiled(one, allow_unknown) for name, one in types.items()}
    plain = {name: one for name, one in types.items() if one in _PLAIN}.get

    def check(value: Any, path: Path, report: Report) -> None:
        if not isinstance(value, dict):
            return report.add(path, f"must be an object, not {kind(value)}")
        if not required <= value.keys():
            for name in sorted(required - value.keys()):
                report.add((*path, name), "is missing")
        for key, one in value.items():
            if type(one) is plain(key):
                continue
            if not isinstance(key, str):
                report.add((*path, shown(key)), f"a key must be text, not {kind(key)}")
            elif known := checks.get(key, other):
                known(one, (*path, key), report)
            else:
                report.add((*path, key), "unknown key" + hint(key, checks))
        return None

    return check
