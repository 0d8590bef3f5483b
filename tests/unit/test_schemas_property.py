"""Valid payloads, broken in arbitrary ways, get clear errors and nothing else."""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import schemas
from examples.document import examples
from interakt_jobs import PayloadError, payloads
from interakt_jobs.check import check
from interakt_jobs.operations import OPERATIONS
from schemas import phones

EXAMPLES = examples()
PHONE = "9876543210"
PATH = re.compile(r"[^\n]+")
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=600),
    st.sampled_from(
        ["", " ", "a\nb", "a\tb", "    ", "\ud800", PHONE, "+91", "x" * 5000, 10**400, b"x", object()]
    ),
)
KEYS = st.one_of(
    st.text(max_size=80), st.integers(), st.none(), st.sampled_from(["_schema", "type", "0", PHONE, "\ud800"])
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.dictionaries(KEYS, inner, max_size=5),
        st.tuples(inner),
    ),
    max_leaves=12,
)


def spots(value: Any) -> list[tuple[Any, Any]]:
    """Every place in a payload: its container and the key or position there."""
    found: list[tuple[Any, Any]] = []
    if isinstance(value, dict | list):
        for key, one in list(value.items() if isinstance(value, dict) else enumerate(value)):
            found.append((value, key))
            found.extend(spots(one))
    return found


def break_somewhere(payload: dict[str, Any], value: Any, chance: random.Random) -> None:
    """Replace, remove, add or repeat something at an arbitrary place."""
    places = spots(payload)
    if not places:
        payload["x"] = value
        return
    at, key = chance.choice(places)
    way = chance.randrange(4)
    if way == 0:
        at[key] = value
    elif way == 1:
        del at[key]
    elif isinstance(at, list):
        at.insert(key, value if way == 2 else copy.deepcopy(at[key]))
    elif way == 2:
        at[chance.choice(["x", "callbackData", "userId", "_schema", 5, None, PHONE])] = value
    else:
        at[str(key).swapcase()] = at.pop(key)


def only_clear_errors(look: Callable[[], Any]) -> None:
    try:
        look()
    except (schemas.Invalid, PayloadError) as error:
        assert error.errors
        for path, what in error.errors.items():
            assert isinstance(path, str)
            assert isinstance(what, str)
            assert PATH.fullmatch(path)
            assert PATH.fullmatch(what)
        assert PHONE not in str(error)
        assert len(str(error)) < 20_000
        json.dumps(error.errors).encode()


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(EXAMPLES), st.lists(VALUES, min_size=1, max_size=4), st.randoms(), st.booleans())
def test_a_broken_payload_gets_only_clear_errors(
    example: Any, values: list[Any], chance: random.Random, allow_unknown: bool
) -> None:
    payload = json.loads(json.dumps(example.payload).replace("9999999999", PHONE))
    for value in values:
        break_somewhere(payload, value, chance)
    only_clear_errors(lambda: schemas.check(example.operation, payload, allow_unknown=allow_unknown))
    only_clear_errors(
        lambda: check(payload, OPERATIONS[example.operation].payload, allow_unknown=allow_unknown)
    )
    only_clear_errors(lambda: schemas.complete(example.operation, payload))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(schemas.OPERATIONS)), VALUES, st.booleans())
def test_anything_at_all_gets_only_clear_errors(operation: str, payload: Any, allow_unknown: bool) -> None:
    only_clear_errors(lambda: schemas.check(operation, payload, allow_unknown=allow_unknown))
    only_clear_errors(lambda: check(payload, OPERATIONS[operation].payload, allow_unknown=allow_unknown))
    only_clear_errors(lambda: schemas.complete(operation, payload))


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(st.text(), st.none(), st.integers()),
    st.one_of(st.text(), st.text("0123456789+ "), st.integers()),
)
def test_any_recipient_is_digits_or_refused(code: Any, phone: Any) -> None:
    try:
        assert re.fullmatch(r"[0-9]{4,18}", phones.read("+91" if code is None else code, phone))
    except phones.BadPhone as error:
        assert error.field in ("countryCode", "phoneNumber")


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(EXAMPLES), VALUES, st.randoms())
def test_what_the_schema_accepts_can_be_enqueued(example: Any, value: Any, chance: random.Random) -> None:
    """What marshmallow lets pass is JSON, and passes the check in the caller too."""
    payload = copy.deepcopy(example.payload)
    break_somewhere(payload, value, chance)
    try:
        schemas.check(example.operation, payload)
    except schemas.Invalid:
        return
    json.dumps(payload, allow_nan=False).encode()
    check(payload, OPERATIONS[example.operation].payload)


def test_a_payload_nested_without_end_is_refused() -> None:
    deep: Any = "x"
    for _ in range(100_000):
        deep = [deep]
    payload = {"userId": "u", "event": "e", "traits": {"deep": deep}}
    with pytest.raises(schemas.Invalid) as found:
        schemas.check("track_event", payload)
    ((path, what),) = found.value.errors.items()
    assert path.startswith("traits.deep[0]")
    assert "nested" in what
    with pytest.raises(PayloadError) as refused:
        check(payload, payloads.TrackEvent)
    assert "traits.deep" in refused.value.errors
    while isinstance(deep, list):
        deep = deep.pop()
