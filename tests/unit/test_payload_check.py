"""The check in the caller: names and JSON types, by path, with the standard library alone; and by a type checker."""

from __future__ import annotations

import os
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from celery.result import ResultSet

from interakt_jobs import Job, PayloadError, payloads, send_text
from interakt_jobs import words as producers
from interakt_jobs.check import check
from interakt_jobs.operations import OPERATIONS
from interakt_jobs.options import callback_options
from schemas import words as schema_words

ROOT = Path(__file__).resolve().parents[2]
PAIR = {"countryCode": "+91", "phoneNumber": "9999999999"}
NAMED = {"name": "w", "languageCode": "en"}
NEW = {"display_name": "N", "language": "English", "category": "Marketing", "body": "Hi"}

REFUSED: list[tuple[str, Any, dict[str, str]]] = [
    ("send_template", None, {"payload": "must be an object, not null"}),
    ("send_template", [], {"payload": "must be an object, not a list"}),
    ("send_template", PAIR, {"template": "is missing"}),
    (
        "send_template",
        {**PAIR, "templates": NAMED},
        {"template": "is missing", "templates": 'did you mean "template"'},
    ),
    (
        "send_template",
        {**PAIR, "template": {**NAMED, "bodyvalues": []}},
        {"template.bodyvalues": '"bodyValues"'},
    ),
    (
        "send_template",
        {**PAIR, "template": {**NAMED, "body_values": []}},
        {"template.body_values": '"bodyValues"'},
    ),
    ("send_template", {**PAIR, "template": {**NAMED, "zzz": []}}, {"template.zzz": "known are bodyValues, "}),
    (
        "send_template",
        {**PAIR, "template": {**NAMED, "bodyValues": ["a", 5]}},
        {"template.bodyValues[1]": "must be text, not a number"},
    ),
    (
        "send_template",
        {**PAIR, "template": {**NAMED, "bodyValues": "a"}},
        {"template.bodyValues": "must be a list, not text"},
    ),
    (
        "send_template",
        {**PAIR, "template": {**NAMED, "buttonValues": {"0": ["a", None]}}},
        {"template.buttonValues.0[1]": "must be text, not null"},
    ),
    (
        "send_template",
        {**PAIR, "template": {**NAMED, "buttonValues": {0: ["a"]}}},
        {"template.buttonValues.<a number>": "a key must be text, not a number"},
    ),
    (
        "send_template",
        {**PAIR, "template": {**NAMED, "carouselCards": [{}, {"bodyValue": []}]}},
        {"template.carouselCards[1].bodyValue": '"bodyValues"'},
    ),
    ("send_image", {**PAIR, "type": "Video", "data": {"mediaUrl": "x"}}, {"type": 'must be "Image"'}),
    ("send_image", {**PAIR, "type": 5, "data": {"mediaUrl": "x"}}, {"type": "not a number"}),
    ("send_rcs_text", {**PAIR, "type": "CAROUSEL"}, {"type": 'must be "Text" or "Template"'}),
    (
        "track_user",
        {**PAIR, "add_to_sales_cycle": "true"},
        {"add_to_sales_cycle": "must be true or false, not text"},
    ),
    ("track_user", {**PAIR, "add_to_sales_cycle": 1}, {"add_to_sales_cycle": "not a number"}),
    ("track_user", {**PAIR, "traits": {"a": float("inf")}}, {"traits.a": "finite"}),
    ("track_user", {**PAIR, "traits": {"a": {1, 2}}}, {"traits.a": "must be JSON, not a Python set"}),
    ("track_user", {**PAIR, "traits": {"a": [b"x"]}}, {"traits.a": "not JSON"}),
    ("track_user", {**PAIR, "traits": {"a": 10**400}}, {"traits.a": "64 bits"}),
    ("list_templates", {"limit": True}, {"limit": "must be a whole number, not true or false"}),
    ("list_templates", {"limit": "5"}, {"limit": "must be a whole number, not text"}),
    (
        "create_template",
        {**NEW, "header_text": 5},
        {"header_text": "must be text or a list or null, not a number"},
    ),
    ("create_template", {**NEW, "header_text": [5]}, {"header_text[0]": "must be text, not a number"}),
    ("find_users", {"filters": [{"trait": "a", "op": "gt"}]}, {"filters[0].val": "is missing"}),
]


@pytest.mark.parametrize(("operation", "payload", "expected"), REFUSED)
def test_what_is_wrong_is_named_by_its_path(operation: str, payload: Any, expected: dict[str, str]) -> None:
    with pytest.raises(PayloadError) as found:
        check(payload, OPERATIONS[operation].payload)
    assert found.value.errors.keys() == expected.keys()
    for path, words in expected.items():
        assert words in found.value.errors[path]
    assert "9999999999" not in str(found.value)


def test_unknown_keys_pass_at_every_level_when_allowed() -> None:
    payload = {**PAIR, "new": {"a": 1}, "template": {**NAMED, "new": [1], "carouselCards": [{"new": None}]}}
    check(payload, payloads.SendTemplate, allow_unknown=True)
    with pytest.raises(PayloadError) as found:
        check(payload, payloads.SendTemplate)
    assert found.value.errors.keys() == {"new", "template.new", "template.carouselCards[0].new"}
    with pytest.raises(PayloadError, match="new: must be JSON"):
        check({**PAIR, "new": object(), "template": NAMED}, payloads.SendTemplate, allow_unknown=True)


def test_a_hundred_mistakes_are_told_as_twenty() -> None:
    with pytest.raises(PayloadError) as found:
        check({"userId": "u", "tags": [5] * 100}, payloads.TrackUser)
    assert len(found.value.errors) == 20


def test_no_error_repeats_a_value_or_a_number_in_a_key() -> None:
    payload = {"919999999999": "secret", "type": "secret", "template": {"name": ["secret"], "x" * 500: 1}}
    with pytest.raises(PayloadError) as found:
        check(payload, payloads.SendTemplate)
    assert not re.search(r"secret|\d{5}|x{50}", str(found.value))


def test_the_error_survives_pickle() -> None:
    error = pickle.loads(pickle.dumps(PayloadError({"a.b": "is missing"})))
    assert (error.errors, str(error)) == ({"a.b": "is missing"}, "a.b: is missing")


MISSPELT = """
from interakt_jobs.payloads import SendImage, SendTemplate
right: SendTemplate = {"phoneNumber": "9999999999", "template": {"name": "w", "languageCode": "en", "bodyValues": ["a"]}}
a: SendTemplate = {"phoneNumber": "9999999999", "template": {"name": "w", "languageCode": "en", "bodyvalues": ["a"]}}
b: SendTemplate = {"phoneNumber": "9999999999", "template": {"name": "w"}}
c: SendImage = {"phoneNumber": "9999999999", "data": {"mediaUrl": 5}}
d: SendImage = {"phoneNumber": "9999999999", "type": "Video", "data": {"mediaUrl": "https://example.com/a.jpg"}}
"""


def test_a_type_checker_catches_a_misspelt_key(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(MISSPELT)
    found = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--ignore-missing-imports",
            "--cache-dir",
            str(tmp_path),
            str(program),
        ],
        env={**os.environ, "MYPYPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    told = re.findall(r"program\.py:(\d+): error: (.*)", found.stdout)
    assert [line for line, _ in told] == ["4", "5", "6", "7"], found.stdout + found.stderr
    assert "bodyvalues" in told[0][1]


def test_half_of_a_surrogate_pair_is_named_by_its_path() -> None:
    payload: Any = {"phoneNumber": "9999999999", "type": "Text", "data": {"message": "cut \ud83d"}}
    with pytest.raises(PayloadError) as caught:
        send_text.new_job(payload, "t")
    assert list(caught.value.errors) == ["data.message"]


@pytest.mark.parametrize("codes", ["131049", 131049, [True], ["x"], [1.5], [131049] * 101])
def test_resend_on_is_a_list_of_codes(codes: Any) -> None:
    with pytest.raises(ValueError, match="resend_on must be a list"):
        callback_options({"resend_on": codes})


def test_what_celery_would_wait_for_here_is_refused_with_what_to_use() -> None:
    with pytest.raises(TypeError, match="on_done"):
        ResultSet([Job("ij1.default." + "0" * 32)])


@pytest.mark.parametrize("value", [None, True, 5, 1.5, "x9999999999", "", "\n", [], (), {}, b"", object()])
def test_producers_and_schemas_describe_a_value_in_the_same_words(value: object) -> None:
    """Neither package may import the other, so each has these few functions."""
    assert producers.kind(value) == schema_words.kind(value)
    assert producers.shown(value) == schema_words.shown(value)
    for path in ("", "data"):
        key = str(value)
        assert producers.joined(path, key) == schema_words.joined(path, key)
        assert producers.hint(f"body_{key}", ["bodyValues", "name"]) == schema_words.hint(
            f"body_{key}", ["bodyValues", "name"]
        )
