"""A type of ``payloads`` as two functions: a fast yes or no, and what is wrong and where."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints, is_typeddict

from .words import hint, is_json, joined, kind, not_json

Problems = Iterator[tuple[str, str]]


class Checker(NamedTuple):
    """``fits(value)``; and ``problems(value, path)``, the paths and words for a value that does not fit."""

    fits: Callable[[Any], bool]
    problems: Callable[[Any, str], Problems]


def compiled(wanted: Any, allow_unknown: bool) -> Checker:
    """The checker of a type: a TypedDict, list, dict, ``Literal``, a union, ``Any`` or a simple one."""
    if is_typeddict(wanted):
        return _object(wanted, allow_unknown)
    origin, args = get_origin(wanted), get_args(wanted)
    if origin is list:
        return _list(compiled(args[0], allow_unknown))
    if origin is dict:
        return _map(compiled(args[1], allow_unknown))
    if origin is Literal:
        return _literal(args)
    if origin in (Union, UnionType):
        return _union({one: compiled(one, allow_unknown) for one in args})
    return _SIMPLE[wanted]


def is_sound(text: str) -> bool:
    """Whether a text can be written as UTF-8."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def not_sound(value: Any, path: str = "") -> Problems:
    """Where the texts are that cannot."""
    if isinstance(value, str):
        if not is_sound(value):
            yield path or "payload", "has half of a surrogate pair, which no UTF-8 text has: mend what cut it"
    elif isinstance(value, dict):
        for key, one in value.items():
            name = str(key).encode("ascii", "backslashreplace").decode()
            yield from not_sound(str(key), joined(path, name))
            yield from not_sound(one, joined(path, name))
    elif isinstance(value, list | tuple):
        for index, one in enumerate(value):
            yield from not_sound(one, f"{path}[{index}]")


def _simple(fits: Callable[[Any], bool], name: str) -> Checker:
    def problems(value: Any, path: str) -> Problems:
        yield path, f"must be {name}, not {kind(value)}"

    return Checker(fits, problems)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and is_json(value)


_SIMPLE: dict[Any, Checker] = {
    str: _simple(lambda value: isinstance(value, str), "text"),
    bool: _simple(lambda value: isinstance(value, bool), "true or false"),
    int: _simple(_is_whole, "a whole number"),
    NoneType: _simple(lambda value: value is None, "null"),
    Any: Checker(is_json, not_json),
}
_NAMES: dict[Any, str] = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    list: "a list",
    NoneType: "null",
}


def _literal(allowed: tuple[str, ...]) -> Checker:
    words = " or ".join(f'"{one}"' for one in allowed)

    def problems(value: Any, path: str) -> Problems:
        yield path, f"must be {words}" + ("" if isinstance(value, str) else f", not {kind(value)}")

    return Checker(lambda value: isinstance(value, str) and value in allowed, problems)


def _list(item: Checker) -> Checker:
    fits_item = item.fits

    def fits(value: Any) -> bool:
        return isinstance(value, list | tuple) and all(map(fits_item, value))

    def problems(value: Any, path: str) -> Problems:
        if not isinstance(value, list | tuple):
            yield path, f"must be a list, not {kind(value)}"
            return
        for index, one in enumerate(value):
            if not fits_item(one):
                yield from item.problems(one, f"{path}[{index}]")

    return Checker(fits, problems)


def _map(item: Checker) -> Checker:
    fits_item = item.fits

    def fits(value: Any) -> bool:
        return isinstance(value, dict) and all(isinstance(k, str) and fits_item(v) for k, v in value.items())

    def problems(value: Any, path: str) -> Problems:
        if not isinstance(value, dict):
            yield path, f"must be an object, not {kind(value)}"
            return
        for key, one in value.items():
            if not isinstance(key, str):
                yield joined(path, key), f"a key must be text, not {kind(key)}"
            elif not fits_item(one):
                yield from item.problems(one, joined(path, key))

    return Checker(fits, problems)


def _union(items: dict[Any, Checker]) -> Checker:
    checks = [item.fits for item in items.values()]
    words = " or ".join(_NAMES.get(get_origin(one) or one, "an object") for one in items)

    def problems(value: Any, path: str) -> Problems:
        for one, item in items.items():
            if get_origin(one) is list and isinstance(value, list | tuple):
                yield from item.problems(value, path)
                return
        yield path, f"must be {words}, not {kind(value)}"

    return Checker(lambda value: any(fits(value) for fits in checks), problems)


def _object(shape: Any, allow_unknown: bool) -> Checker:
    types = get_type_hints(shape)
    fields = {name: compiled(one, allow_unknown) for name, one in types.items()}
    checks = {name: checker.fits for name, checker in fields.items()}
    required = frozenset(shape.__required_keys__)
    exactly = {name: one for name, one in types.items() if one in (str, bool)}.get

    def fits(value: Any) -> bool:
        if not isinstance(value, dict) or not required <= value.keys():
            return False
        for key, one in value.items():
            if type(one) is exactly(key):  # most fields are text: no call for those
                continue
            known = checks.get(key)
            if known is None:
                if not (allow_unknown and isinstance(key, str) and is_json(one)):
                    return False
            elif not known(one):
                return False
        return True

    def problems(value: Any, path: str) -> Problems:
        if not isinstance(value, dict):
            yield path or "payload", f"must be an object, not {kind(value)}"
            return
        for name in sorted(required - value.keys()):
            yield joined(path, name), "is missing"
        for key, one in value.items():
            if key in fields:
                if not checks[key](one):
                    yield from fields[key].problems(one, joined(path, key))
            elif not isinstance(key, str):
                yield joined(path, key), f"a key must be text, not {kind(key)}"
            elif not allow_unknown:
                yield joined(path, key), "unknown key" + hint(key, fields)
            elif not is_json(one):
                yield from not_json(one, joined(path, key))

    return Checker(fits, problems)
