"""The TypedDicts of ``interakt_jobs`` and the marshmallow schemas say the same, in both directions.

Both are written out as rows: a path, whether it is required, the JSON types it may have, and the words it may be.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints, is_typeddict

import pytest
from marshmallow import fields

from interakt_jobs.operations import OPERATIONS
from schemas.base import Many, Part, Table
from schemas.fields import Choice, Either, Flag, Flat, Json, Text, Whole
from schemas.registry import shape_of

SIMPLE = {str: "text", int: "whole", bool: "flag", NoneType: "null", Any: "any"}


class Row(NamedTuple):
    path: str
    required: bool
    kind: str
    words: frozenset[str] | None = None


def typed(wanted: Any, path: str = "", required: bool = True) -> Iterator[Row]:
    """The rows of a type."""
    origin, args = get_origin(wanted), get_args(wanted)
    if is_typeddict(wanted):
        yield Row(path, required, "object")
        for name, one in get_type_hints(wanted).items():
            yield from typed(one, f"{path}.{name}", name in wanted.__required_keys__)
    elif origin in (Union, UnionType):
        for one in args:
            yield from typed(one, path, required)
    elif origin is list:
        yield Row(path, required, "list")
        yield from typed(args[0], f"{path}[]")
    elif origin is dict:
        yield Row(path, required, "table")
        yield from typed(args[1], f"{path}{{}}")
    elif origin is Literal:
        yield Row(path, required, "text", frozenset(args))
    else:
        yield Row(path, required, SIMPLE[wanted])


def shaped(field: fields.Field[Any], path: str) -> Iterator[Row]:
    """The rows of a marshmallow field."""
    required = field.required or path.endswith(("[]", "{}"))
    match field:
        case Part():
            yield Row(path, required, "object")
            for name, one in field.schema.fields.items():
                yield from shaped(one, f"{path}.{name}")
        case Many():
            yield Row(path, required, "list")
            yield from shaped(field.inner, f"{path}[]")
        case Table():
            yield Row(path, required, "table")
            yield from shaped(field.item, f"{path}{{}}")
        case Either():
            for one in (field.text, field.many):
                for row in shaped(one, path):
                    yield row._replace(required=required) if row.path == path else row
        case Json() | Flat():
            yield Row(path, required, "any")
            return
        case Choice():
            yield Row(path, required, "text", frozenset(field.choices))
        case Text() | Whole() | Flag():
            yield Row(path, required, {Whole: "whole", Flag: "flag"}.get(type(field), "text"))
        case _:
            pytest.fail(f"{path}: what is {type(field)}?")
    if field.allow_none:
        yield Row(path, required, "null")


def without_words(rows: set[Row]) -> set[Row]:
    return {row._replace(words=None) for row in rows}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_type_and_the_schema_of_an_operation_are_equal(operation: str) -> None:
    types = set(typed(OPERATIONS[operation].payload))
    shapes = {Row("", True, "object")}
    for name, field in shape_of(operation).fields.items():
        shapes.update(shaped(field, f".{name}"))
    assert without_words(types) == without_words(shapes)
    assert {row for row in types if row.words} <= shapes


def test_a_difference_would_be_seen() -> None:
    """The test above compares something: the rows of two operations differ."""
    rows = {name: frozenset(typed(OPERATIONS[name].payload)) for name in OPERATIONS}
    assert Row(".template.carouselCards[].buttonValues{}[]", True, "text") in rows["send_template"]
    assert Row(".data.message.action.sections[].rows[].description", False, "text") in rows["send_list"]
    assert rows["send_template"] != rows["send_auth_template"]
