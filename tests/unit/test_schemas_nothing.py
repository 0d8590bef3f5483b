"""Values that say nothing: what programs write where they had no value, and text of which nobody sees anything."""

from __future__ import annotations

from typing import Any

import pytest

from schemas import check, says_nothing

KINDS = {
    "empty": ["", "   ", "\u200b\u2060", "\xad", "\u3164", "\u2800 \u2800", "\ufeff\u200e",
              "\u202a\u202c", '""', "{}", "[]"],
    "None": ["None", "none", "NONE", "'None'", "<None>", "\u200eNone", "No\u200bne", "None\u00a0", "None None"],
    "NaN": ["NaN", "nan", "NAN", "NaT"],
    "null": ["null", "NULL", "(null)", "<nil>", "\\N", "null null", "\ufeffnull"],
    "undefined": ["undefined", "Undefined", "undefined undefined"],
    "#N/A": ["#N/A", "N/A", "n/a", "<NA>", "#NA"],
    "#REF!": ["#REF!", "#ref!"],
    "#DIV/0!": ["#DIV/0!"],
    "[object Object]": ["[object Object]"],
    "Invalid Date": ["Invalid Date", "invalid date"],
    "{{ }}": ["{{1}}", "{{ name }}"],
    "????": ["????", "??", "??? ????", "\ufffd", "\ufffd\ufffd", "????? " * 60, "\ufffd" * 400],
}  # fmt: skip
PAIRS = [(kind, text) for kind, texts in KINDS.items() for text in texts]


@pytest.mark.parametrize(("kind", "text"), PAIRS, ids=[repr(text) for _, text in PAIRS])
def test_a_value_that_says_nothing_is_named_by_its_kind(kind: str, text: str) -> None:
    assert says_nothing(text) == kind


@pytest.mark.parametrize(
    "text",
    [
        "John", "Nan", "Nat", "Nil", "NA", "Nadia", "Nonette", "None of these", "null and void", "?", "What?", "...",
        "0", "-", "👍", "❤️", "नहीं", "राम\u200dकृष्ण", "\ue000", "a" * 300_000, "None" * 50_000,
    ],
    ids=lambda text: repr(text[:20]),
)  # fmt: skip
def test_a_value_that_says_something_is_left_alone(text: str) -> None:
    assert says_nothing(text) is None


def test_a_payload_with_such_texts_is_taken_with_a_warning_for_each() -> None:
    template = {
        "name": "order_update",
        "languageCode": "en",
        "bodyValues": ["Asha", "None", "????"],
        "buttonValues": {"0": ["\u200b"]},
        "carouselCards": [{"bodyValues": ["nan"]}, {"bodyValues": ["a lamp"]}],
    }
    payload = {"countryCode": "+91", "phoneNumber": "9999999999", "type": "Template", "template": template}
    warnings = check("send_template", payload)
    assert warnings == [
        "template.bodyValues[1]: says nothing (None), and would be sent so",
        "template.bodyValues[2]: says nothing (????), and would be sent so",
        "template.buttonValues.0[0]: says nothing (empty), and would be sent so",
        "template.carouselCards[0].bodyValues[0]: says nothing (NaN), and would be sent so",
    ]


@pytest.mark.parametrize(
    ("operation", "extra", "path"),
    [
        ("send_text", {"type": "Text", "data": {"message": "undefined"}}, "data.message"),
        ("track_user", {"traits": {"city": "#N/A", "visits": [1, "x", "null"]}}, "traits.city traits.visits[2]"),
        ("send_rcs_text", {"type": "Text", "message": {"plainText": "[object Object]"}}, "message.plainText"),
        ("send_image", {"type": "Image", "data": {"mediaUrl": "https://a.example", "message": "\u2800"}}, "data.message"),
    ],
)  # fmt: skip
def test_it_is_so_in_every_operation(operation: str, extra: dict[str, Any], path: str) -> None:
    warnings = check(operation, {"countryCode": "+91", "phoneNumber": "9999999999", **extra})
    assert [warning.partition(":")[0] for warning in warnings] == path.split()


def test_what_may_be_left_empty_warns_of_nothing() -> None:
    data = {"mediaUrl": "https://example.com/a.png", "message": ""}
    payload = {"fullPhoneNumber": "919999999999", "phoneNumber": "", "type": "Image", "data": data}
    assert check("send_image", payload) == []
