"""The outcome table: what each answer of Interakt's means."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.interakt.errors import InteraktError, Refused, Throttled, Unavailable, Unknown
from worker.interakt.responses import Answer, classify

HTML = b"<!doctype html><title>Not Found</title><h1>Not Found</h1>"
KINDS = ("read", "upsert", "send", "rcs", "create")
NO_TEMPLATE = (
    "Please correct the following error - No approved template found with name 'balance_due' and language 'en'."
    " Please re-sync on Interakt dashboard and try again"
)


def said(message: Any, result: Any = False) -> bytes:
    return json.dumps({"result": result, "message": message}).encode()


def outcome(kind: Any, status: int, body: bytes | None, headers: dict[str, str] | None = None) -> str:
    try:
        classify(kind, status, headers or {}, body)
    except InteraktError as error:
        return f"{error.outcome} {error.scope}" if error.outcome == "refused" else error.outcome
    return "accepted"


ANY_KIND = [
    (201, said("Message queued for sending via Interakt.", True), "accepted"),
    (202, b'{"result":true}', "accepted"),
    (200, b'{"count":0,"has_next":false,"results":{"templates":[]}}', "accepted"),
    (200, said("Error processing the request."), "refused job"),
    (200, said("Please recharge your wallet"), "refused account"),
    (400, said("Phone Number & Country Code provided is invalid"), "refused job"),
    (
        400,
        said("Missing variable values for template's body, expected number of values are 2"),
        "refused job",
    ),
    (
        400,
        said("Please correct the following error - Customer has not messaged within last 24 hours"),
        "refused job",
    ),
    (400, said(NO_TEMPLATE), "refused template"),
    (404, said(NO_TEMPLATE), "refused template"),
    (400, said("This template is paused"), "refused template"),
    (400, said("Insufficient balance in wallet"), "refused account"),
    (402, said("Please activate or upgrade your subscription"), "refused account"),
    (400, said("Trait 'plan' must be a text"), "refused job"),
    (401, said("Invalid token provided"), "refused account"),
    (401, HTML, "refused account"),
    (403, said("This API is currently not supported on your Interakt account."), "refused account"),
    (403, HTML, "refused account"),
    (404, HTML, "refused deployment"),
    (404, b"", "refused deployment"),
    (404, said("Customer not found"), "refused job"),
    (405, HTML, "refused deployment"),
    (301, b"", "refused deployment"),
    (302, HTML, "refused deployment"),
    (413, HTML, "refused job"),
    (422, b"[]", "refused job"),
    (409, said({"phone": ["already exists"]}), "refused job"),
    (400, None, "unavailable"),
    (404, None, "unavailable"),
    (401, None, "refused account"),
    (429, said("Rate limit exceeded for this resource"), "unavailable"),
    (429, None, "unavailable"),
    (503, HTML, "unavailable"),
]
BY_KIND = [
    (500, said("Error processing the request.")),
    (502, HTML),
    (504, None),
    (600, b""),
    (200, HTML),
    (201, b""),
    (201, None),
    (201, b'{"result":true,"mess'),
    (201, b"[1]"),
    (200, b"\xff\xfe"),
    (200, b"[" * 100_000),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("status", "body", "expected"), ANY_KIND)
def test_the_table_holds_for_every_kind(kind: str, status: int, body: bytes | None, expected: str) -> None:
    assert outcome(kind, status, body) == expected


@pytest.mark.parametrize(("status", "body"), BY_KIND)
@pytest.mark.parametrize("kind", KINDS)
def test_what_may_have_been_done_is_unknown_unless_it_is_safe_to_repeat(
    kind: str, status: int, body: bytes | None
) -> None:
    assert outcome(kind, status, body) == ("unavailable" if kind in ("read", "upsert") else "unknown")


def test_an_assignment_that_is_already_made_is_a_success() -> None:
    answer = classify("upsert", 400, {}, said("['Chat is already assigned to same agent']"))
    assert answer.message == "Chat is already assigned to same agent"
    assert outcome("send", 400, said("already assigned")) == "refused job"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"result": True, "message": "ok", "id": "abc"}, Answer(201, "abc", "ok", None)),
        ({"result": True, "message": "ok"}, Answer(201, None, "ok", None)),
        ({"result": True, "id": 7}, Answer(201, "7", "", None)),
        ({"result": True, "id": ["x"]}, Answer(201, None, "", None)),
        ({"result": True, "data": {"campaignId": "c"}}, Answer(201, "c", "", {"campaignId": "c"})),
        ({"result": True, "data": {"campaign_id": "c"}}, Answer(201, "c", "", {"campaign_id": "c"})),
        ({"count": 1, "has_next": False}, Answer(201, None, "", {"count": 1, "has_next": False})),
        ({"result": True, "message": "\ud800", "id": "\ud800"}, Answer(201, "?", "?", None)),
    ],
)
def test_id_message_and_data_are_found(body: dict[str, Any], expected: Answer) -> None:
    assert classify("send", 201, {}, json.dumps(body).encode()) == expected


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("99999", 3600.0),
        ("Thu, 01 Jan 1970 00:02:00 GMT", 20.0),
        ("Thu, 01 Jan 1970 00:00:01 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("9" * 400, None),
        ("٣", None),
        ("Thu, 99 Foo 1970", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(value: str, seconds: float | None) -> None:
    with pytest.raises(Throttled) as caught:
        classify("send", 429, {"retry-after": value}, b"", now=100.0)
    assert caught.value.retry_after == seconds
    assert caught.value.throttled


@given(st.integers(100, 999), st.binary(max_size=200) | st.none(), st.sampled_from(KINDS))
def test_whatever_comes_back_is_one_of_ours(status: int, body: bytes | None, kind: Any) -> None:
    assert outcome(kind, status, body).split()[0] in ("accepted", "refused", "unavailable", "unknown")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(
    st.sampled_from((200, 201, 400, 403, 404, 429, 500)),
    st.fixed_dictionaries(
        {}, optional={"result": json_values, "message": json_values, "id": json_values, "data": json_values}
    ),
)
def test_no_shape_of_json_breaks_it(status: int, body: dict[str, Any]) -> None:
    outcome("send", status, json.dumps(body).encode())


def test_numbers_that_may_be_phones_are_not_in_an_error() -> None:
    error = Refused("Customer +91 99999-99999 (9999999999) is unknown " + "x" * 400, 400)
    assert "9999" not in str(error)
    assert "9999" not in repr(error)
    assert len(error.message) <= 300


@pytest.mark.parametrize(
    "error",
    [
        Refused("no", 400, "template"),
        Unavailable("later", 503, "job", 3.0),
        Throttled("slow", 429, "account", None),
        Unknown("?", None),
    ],
)
def test_errors_survive_a_pickle(error: InteraktError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert vars(copy) == vars(error)
    assert str(copy) == str(error)
