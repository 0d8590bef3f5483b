"""Preflight: what refuses a campaign, what warns, and what it will cost and take."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sandbox.templates import ready
from worker.campaigns.definition.definition import Definition, read
from worker.campaigns.definition.errors import CampaignError
from worker.campaigns.planning import prices
from worker.campaigns.planning.planner import Tally
from worker.campaigns.planning.preflight import preflight
from worker.campaigns.planning.report import Report
from worker.campaigns.recipients.rows import Recipient

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
ROWS = [template.row() for template in ready()]


def campaign(**template: Any) -> Definition:
    wanted = {"name": "diwali_offer", "body": ["{name}"], **template}
    return read({"name": "Diwali", "template": wanted, "rules": {"window": "09:00-21:00"}})


def people(count: int = 1200) -> Tally:
    sample = [
        Recipient(at + 2, "919999999999", (name,), "Asia/Kolkata") for at, name in enumerate(("Asha", "Ravi"))
    ]
    return Tally(count, Counter(), Counter({"91": count}), Counter({"Asia/Kolkata": count}), sample)


def check(definition: Definition, rows: list[dict[str, Any]] = ROWS, tally: Tally | None = None) -> Report:
    tally = tally or people()
    width = len(definition.value_columns)
    tally.sample = [person._replace(values=person.values[:width]) for person in tally.sample]
    return preflight(definition, rows, tally, prices.load(), calls_per_minute=600, now=NOW)


def test_a_good_campaign_passes_with_its_cost_its_time_and_a_preview() -> None:
    report = check(campaign())
    assert report.ok
    assert (report.messages, report.calls, report.category) == (1200, 1200, "marketing")
    assert report.totals == {"INR": Decimal("1080.00")}
    assert report.finish == datetime(2026, 11, 23, 6, 2, tzinfo=UTC)
    assert [shown["text"] for shown in report.previews] == [
        "Hi Asha, happy Diwali! 20 % off until Sunday.",
        "Hi Ravi, happy Diwali! 20 % off until Sunday.",
    ]
    assert "India, marketing: 1,200 messages, 1,080.00 INR" in report.text()
    assert json.loads(report.as_json())["totals"] == {"INR": "1080.00"}


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ({"name": "nothing"}, "no such template"),
        ({"name": "Diwali_offer_"}, "did you mean 'diwali_offer'"),
        ({"language": "hi"}, "it does in en"),
        ({"body": []}, "body wants 1 values, the campaign gives 0"),
        ({"body": ["{name}", "b"]}, "body wants 1 values, the campaign gives 2"),
        ({"header": ["x"]}, "header wants 0 values"),
        ({"buttons": {"0": ["x"]}}, "button 0 wants 0 values"),
        ({"name": "invoice_delivery"}, "the address of its document"),
        ({"name": "dynamic_cta_template", "buttons": {"0": ["x"]}}, "button 1 wants 1 values"),
        ({"category": "utility"}, "category is marketing, the campaign insists on utility"),
    ],
)
def test_what_cannot_work_is_refused(template: dict[str, Any], why: str) -> None:
    report = check(campaign(**template))
    assert not report.ok
    assert why in "\n".join(report.problems)
    assert "REFUSED" in report.text()


def test_buttons_are_read_however_often_they_are_encoded() -> None:
    row = next(row for row in ROWS if row["name"] == "dynamic_cta_template")
    twice = {**row, "buttons": json.dumps(row["buttons"])}
    plain = {**row, "buttons": json.loads(row["buttons"])}
    right = campaign(name="dynamic_cta_template", buttons={"1": ["{name}"]})
    for shape in (row, twice, plain):
        assert check(right, [shape]).ok
    assert not check(right, [{**row, "buttons": "{broken"}]).ok


def test_a_template_that_is_not_approved_is_refused() -> None:
    row = next(row for row in ROWS if row["name"] == "diwali_offer")
    report = check(campaign(), [{**row, "approval_status": "PAUSED"}])
    assert "it is PAUSED" in report.problems[0]


def test_cards_are_counted_where_the_list_shows_them() -> None:
    row = next(row for row in ROWS if row["name"] == "product_carousel")
    card = {"header_format": "IMAGE", "body": "{{1}}", "buttons": json.dumps([{"type": "QUICK_REPLY"}])}
    given = {"header": ["https://example.com/1.jpg"], "body": ["a"]}
    definition = campaign(name="product_carousel", cards=[given, {**given, "body": []}])
    report = check(definition, [{**row, "carousel_cards": json.dumps([card, card])}])
    assert report.mismatches == ["card 1's body wants 1 values, the campaign gives 0"]
    assert "do" in check(definition, [row]).warnings[0]


def test_templates_of_any_shape_do_no_harm() -> None:
    odd = [
        {},
        {"name": 7},
        {"name": "diwali_offer", "language": "en", "buttons": 5, "body": None},
        "text",
        None,
    ]
    assert not check(campaign(), odd).ok  # type: ignore[arg-type]


def test_nobody_left_is_refused_and_many_rejected_warn() -> None:
    assert "nobody is left" in check(campaign(), tally=Tally()).problems[0]
    tally = people(90)
    tally.rejected = Counter({"phone": 10})
    report = check(campaign(), tally=tally)
    assert report.ok
    assert "10 of 100 rows are rejected" in report.warnings[0]


def test_values_that_say_nothing_stop_it_unless_they_are_allowed() -> None:
    tally = people()
    for line, kind in ((2, "None"), (7, "None"), (9, "????")):
        tally.nothing.add("name", kind, line)
    (problem,) = check(campaign(), tally=tally).problems
    assert "3 values say nothing: 2 None in name (line 2, 7); 1 ???? in name (line 9)" in problem
    assert "--allow-empty-values" in problem
    made = campaign()
    allowed = replace(made, recipients=replace(made.recipients, allow_empty_values=True))
    report = check(allowed, tally=tally)
    assert report.ok
    assert "3 values say nothing" in report.warnings[0]


def test_an_end_that_comes_too_soon_is_said() -> None:
    definition = read(
        {
            "name": "Diwali",
            "template": {"name": "diwali_offer", "body": ["{name}"]},
            "schedule": {"end": "2026-11-23T06:01:00+00:00"},
        }
    )
    report = check(definition)
    assert report.ok
    assert report.unsent == 600
    assert "about 600 will not be sent before its end" in report.warnings


def test_the_price_file_reports_every_mistake(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text(
        "# mine\ncountry_code,country,category,price,currency\n"
        "91,India,marketing,dear,INR\nIN,India,utility,1,INR\n"
        "91,India,party,1,INR\n1,US,utility,1,USD\n1,US,utility,2,USD\n"
    )
    with pytest.raises(CampaignError) as caught:
        prices.load(path)
    assert list(caught.value.errors) == [f"prices line {at}" for at in (3, 4, 5, 7)]
    path.write_text("country_code,country,category,price,currency\n1,US,utility,1.5,USD\n")
    found = prices.load(path).estimate({"1": 4, "44": 2}, "utility")
    assert [(cost.country, cost.amount) for cost in found] == [("US", Decimal("6.0")), ("+44", None)]
