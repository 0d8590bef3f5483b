"""What must not leave does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.telemetry.redaction import HIDDEN, know_secret, mask_quoted, scrub

JOB = "ij1.default.0192f3a4b5c6d7e8f901234567890123"


@pytest.mark.parametrize(
    "text",
    [
        "9999999999",
        "+919999999999",
        "+91 99999 99999",
        "+91-99999-99999",
        "(999) 999-9999",
        "999.999.9999",
        "phone=9999999999,",
        "a9999999999b",
        "x_9999999999_y",
        "919999999999@c.us",
        "99 99 99 99 99",
        "c919999999999",
        "c9999999999ab",
        "ca9999999999b",
        "ij1.default.9999999999",
        "ij1.default.order-9999999999",
        "schedule.9999999999",
    ],
)
def test_phone_numbers_are_hidden(text: str) -> None:
    assert "999" not in scrub(f"before {text} after")


@pytest.mark.parametrize(
    "text",
    [
        JOB,
        "ij1.brand_b.cabcd1234.0.1234567",
        "ij1.default.schedule.every-morning.20261125T033000Z",
        "c0123456789ab",
        "c12345678abcd.0.1234567",
        "4fdff884-c388-4c1e-aea6-189022222222",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "131026",
        "took 20.5 s",
    ],
)
def test_ids_and_small_numbers_stay(text: str) -> None:
    assert scrub(f"before {text} after") == f"before {text} after"


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Basic c2VjcmV0OmtleQ==",
        "{'Authorization': 'Basic c2VjcmV0OmtleQ=='}",
        "api_key=c2VjcmV0OmtleQ==",
        "password: c2VjcmV0OmtleQ==",
        "redis://:c2VjcmV0OmtleQ==@host:6379/0",
        "redis://user:c2VjcmV0OmtleQ==@host:6379/0",
    ],
)
def test_what_looks_like_a_key_is_hidden(text: str) -> None:
    assert "c2VjcmV0" not in scrub(text)


def test_a_known_secret_is_hidden_wherever_it_stands() -> None:
    know_secret("sesame-open-42")
    know_secret("abc")
    assert scrub("x?k=sesame-open-42&abc") == f"x?k={HIDDEN}&abc"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{'name': 'Asha'}", "{[hidden]: [hidden]}"),
        ('bad "Asha said \\"no\\"" here', "bad [hidden] here"),
        ("{'name': 'O'Brien'}", "{[hidden]: [hidden]}"),
        (r"{\"name\": \"Asha\"}", "{[hidden]: [hidden]}"),
        (r"'it\'s Asha'", "[hidden]"),
        ("template's body isn't right", "template's body isn't right"),
    ],
)
def test_quoted_values_are_hidden(text: str, expected: str) -> None:
    assert mask_quoted(text) == expected


@given(st.text(), st.from_regex(r"\+?[0-9]{7,15}", fullmatch=True), st.text())
def test_no_run_of_digits_is_left_whatever_stands_around(before: str, number: str, after: str) -> None:
    assert number not in scrub(f"{before} {number} {after}")


def test_only_the_beginning_of_a_very_long_text_is_looked_at() -> None:
    for text in ("'\\" * 5_000_000, "9" * 10_000_000, "token:" + " " * 10_000_000):
        assert len(scrub(mask_quoted(text))) <= 16_384
