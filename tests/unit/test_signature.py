"""The webhook's signature."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.webhooks.signature import is_signed, sign

SECRET, BODY = b"webhook-secret", b'{"type":"message_api_sent"}'
RIGHT = ("sha256=" + hmac.new(SECRET, BODY, hashlib.sha256).hexdigest()).encode()


def test_it_is_the_hmac_of_the_raw_body() -> None:
    assert sign(SECRET, BODY).encode() == RIGHT


@pytest.mark.parametrize("name", [b"interakt-signature", b"x-interakt-signature"])
def test_both_headers_are_read(name: bytes) -> None:
    assert is_signed(SECRET, BODY, [(b"host", b"x"), (name, RIGHT)])


def test_capitals_and_spaces_do_no_harm() -> None:
    assert is_signed(SECRET, BODY, [(b"interakt-signature", b" " + RIGHT.upper() + b" ")])


@pytest.mark.parametrize(
    "presented",
    [b"", b"sha256=", RIGHT[7:], RIGHT[:-1], RIGHT + b"0", b"sha1=" + RIGHT[7:], b"sha256=" + b"\xff" * 64],
)
def test_anything_else_is_refused(presented: bytes) -> None:
    assert not is_signed(SECRET, BODY, [(b"interakt-signature", presented)])


def test_no_header_and_no_secret_are_refused() -> None:
    assert not is_signed(SECRET, BODY, [])
    assert not is_signed(b"", BODY, [(b"interakt-signature", sign(b"", BODY).encode())])


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_a_signature_holds_for_one_body_only(one: bytes, other: bytes) -> None:
    header = [(b"interakt-signature", sign(SECRET, one).encode())]
    assert is_signed(SECRET, other, header) == (one == other)
