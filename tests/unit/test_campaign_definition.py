"""A campaign's definition: what is accepted, and how every mistake is told."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.campaigns.definition.definition import load, read
from worker.campaigns.definition.errors import CampaignError
from worker.campaigns.definition.values import parse, problem

EXAMPLE = Path(__file__).parents[2] / "examples" / "campaign" / "diwali.toml"


def smallest(**more: Any) -> dict[str, Any]:
    return {"name": "Diwali", "template": {"name": "diwali_offer", "body": ["{name}"]}, **more}


def test_the_example_is_a_campaign(tmp_path: Path) -> None:
    found = load(EXAMPLE)
    assert found.template.name == "diwali_offer"
    assert found.value_columns == ("name",)
    assert (found.rules.opens, found.rules.closes) == (540, 1260)
    assert found.rules.quiet_weekdays == {6}
    assert (found.rules.per_person, found.rules.per_person_days) == (3, 7)
    assert [stop.reason for stop in found.rules.stop] == ["", "template"]
    assert found.schedule.start is None, "its date would pass"
    dated = tmp_path / "dated.toml"
    dated.write_text(re.sub(r"(?m)^# (\[schedule\]|start|end)", r"\1", EXAMPLE.read_text()))
    assert load(dated).schedule.start is not None and load(dated).schedule.end is not None


def test_every_mistake_is_told_by_its_path_and_all_together() -> None:
    table = smallest(
        template={
            "body": ["", "two\nlines", "{{1}}", "{}", "{open"],
            "buttons": {"first": ["x"], "1": []},
            "colour": "red",
        },
        schedule={"start": "tomorrow", "end": "2026-11-01T09:00:00"},
        rules={"window": "9-21", "quiet_days": ["caturday"], "per_person": {"messages": 0}},
        retry={"repeat": "always"},
        recipients={"timezone": "Mars/Olympus", "country_code": "India"},
        acount="default",
    )
    with pytest.raises(CampaignError) as caught:
        read(table)
    assert set(caught.value.errors) == {
        "template.name",
        *(f"template.body[{at}]" for at in range(5)),
        "template.buttons.first",
        "template.buttons.1",
        "template.colour",
        "schedule.start",
        "schedule.end",
        "rules.window",
        "rules.quiet_days[0]",
        "rules.per_person.messages",
        "retry.repeat",
        "recipients.timezone",
        "recipients.country_code",
        "acount",
    }
    assert "template.name: is required" in str(caught.value)


def test_a_payload_is_rendered_in_the_documents_own_spelling() -> None:
    found = read(
        smallest(
            template={
                "name": "product_carousel",
                "media": "https://example.com/{sku}.jpg",
                "body": ["Dear {name}", 7],
                "buttons": {"1": ["{sku}"]},
                "cards": [
                    {"header": ["https://example.com/1.jpg"], "body": ["{name}"], "buttons": {"0": ["a"]}}
                ],
                "order_status": {"reference_id": "{sku}", "order": {"status": "shipped"}},
                "category": "Marketing",
            }
        )
    )
    assert found.value_columns == ("sku", "name")
    assert found.payload("+91", "9999999999", {"sku": "A1", "name": "Asha"}, "campaign-id") == {
        "countryCode": "+91",
        "phoneNumber": "9999999999",
        "type": "Template",
        "campaignId": "campaign-id",
        "template_category": "marketing",
        "template": {
            "name": "product_carousel",
            "languageCode": "en",
            "headerValues": ["https://example.com/A1.jpg"],
            "bodyValues": ["Dear Asha", "7"],
            "buttonValues": {"1": ["A1"]},
            "carouselCards": [
                {
                    "headerValues": ["https://example.com/1.jpg"],
                    "bodyValues": ["Asha"],
                    "buttonValues": {"0": ["a"]},
                }
            ],
            "order_status": {"reference_id": "A1", "order": {"status": "shipped"}},
        },
    }


def test_the_frozen_source_reads_back_as_the_same_campaign() -> None:
    import json

    found = load(EXAMPLE)
    again = read(json.loads(found.source))
    assert again == found


def test_quiet_days_may_be_dates_and_not_the_whole_week() -> None:
    found = read(smallest(rules={"quiet_days": ["2026-11-08", date(2026, 11, 9), "Sunday"]}))
    assert found.rules.quiet_dates == {date(2026, 11, 8), date(2026, 11, 9)}
    week = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    with pytest.raises(CampaignError, match="every day of the week"):
        read(smallest(rules={"quiet_days": week}))


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("", "must not be empty"),
        ("  ", "must not be empty"),
        ("a\nb", "must be one line, it has a line break"),
        ("a\u2028b", "must be one line, it has a line break"),
        ("a\tb", "must not have a tab in it"),
        ("a    b", "must not have four or more spaces in a row"),
        ("a\x00b", "must not have a control character in it"),
        ("a\ufffdb", "has a character that could not be read: save the file as UTF-8"),
        ("a\ud800b", "holds half a character (a lone surrogate), which is not Unicode text"),
        ("x" * 4097, "is longer than 4096 characters"),
        ("a   b", ""),
        ("नमस्ते 🎉", ""),
    ],
)
def test_a_variable_is_refused_for_what_interakt_refuses(value: str, why: str) -> None:
    assert problem(value) == why


def test_a_value_mixes_text_and_columns() -> None:
    value = parse("Hi { First name }, code {code}!")
    assert value.columns == ("First name", "code")
    assert value.render({"First name": "Asha", "code": "X"}) == "Hi Asha, code X!"


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(["name", "account", "template", "recipients", "schedule", "rules", "retry", "body"])


@given(st.dictionaries(names, json_like, max_size=6))
def test_whatever_is_given_is_read_or_refused_and_nothing_else(table: dict[str, Any]) -> None:
    try:
        read(table)
    except CampaignError as error:
        assert error.errors


def test_a_file_that_is_no_toml_is_refused_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text("name = ")
    with pytest.raises(CampaignError, match="not TOML"):
        load(path)
    path.write_bytes(b'name = "\xe9"')
    with pytest.raises(CampaignError, match="UTF-8"):
        load(path)
