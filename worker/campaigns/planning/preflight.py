"""Preflight: everything that can be known before a campaign is sent. A pure function of what it is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from schemas.phones import split
from worker.campaigns.definition.definition import Definition
from worker.campaigns.definition.message import Message
from worker.campaigns.recipients.rows import Recipient

from .planner import Tally
from .prices import Prices
from .report import Report
from .templates import Template, find, mismatches, preview
from .windows import Windows, finishing_time

REJECTED_SHARE = 0.05
ALLOW = "fix the file, or send the values as they are: --allow-empty-values, or recipients.allow_empty_values = true"


def preflight(
    definition: Definition,
    templates: Iterable[Mapping[str, Any]],
    tally: Tally,
    prices: Prices,
    *,
    calls_per_minute: float,
    now: datetime | None = None,
) -> Report:
    """Check a campaign against the account's templates (rows of ``list_templates``), recipients and budget.

    ``report.problems`` is empty when it may be sent.
    """
    now = now or datetime.now(UTC)
    message, schedule = definition.template, definition.schedule
    report = Report(name=definition.name, template=f"{message.name} ({message.language})")
    template, report.problems = find_template(templates, message)
    if template:
        _check_template(report, definition, template)
    report.messages = report.calls = tally.recipients
    report.rejected = dict(tally.rejected)
    if not tally.recipients:
        report.problems.append("nobody is left to send it to")
    total = tally.recipients + sum(tally.rejected.values())
    if tally.rejected and sum(tally.rejected.values()) > REJECTED_SHARE * total:
        report.warnings.append(
            f"{sum(tally.rejected.values())} of {total} rows are rejected: look at the rejects file"
        )
    category = (template.category if template else "") or message.category or "marketing"
    report.category = category
    report.costs = prices.estimate(tally.countries, category)
    if any(cost.amount is None for cost in report.costs):
        report.warnings.append("the price file has no price for some countries: the cost leaves them out")
    if tally.nothing.counts and not definition.recipients.allow_empty_values:
        report.problems.append(f"{tally.nothing}; {ALLOW}")
    elif tally.nothing.counts:
        report.warnings.append(f"{tally.nothing}, and will be sent so")
    _finish(report, definition, tally, calls_per_minute, now)
    if schedule.end and schedule.end <= now:
        report.problems.append("its end has passed")
    if template:
        report.previews = [_preview(definition, template, person) for person in tally.sample]
    return report


def find_template(
    templates: Iterable[Mapping[str, Any]], message: Message
) -> tuple[Template | None, list[str]]:
    """The message's template, and why it cannot be sent."""
    template, wrong = find(templates, message)
    return template, [f"template {message.name!r}: {wrong}"] if wrong else []


def _check_template(report: Report, definition: Definition, template: Template) -> None:
    message = definition.template
    report.mismatches = mismatches(template, message)
    report.problems += report.mismatches
    if message.category and template.category and message.category != template.category:
        report.problems.append(
            f"the template's category is {template.category}, the campaign insists on {message.category}"
        )
    if message.cards and template.cards is None:
        report.warnings.append("the templates list does not show cards: theirs could not be checked")
    if template.category == "authentication":
        report.warnings.append("it is an authentication template: a campaign is hardly what it is for")


def _finish(
    report: Report, definition: Definition, tally: Tally, calls_per_minute: float, now: datetime
) -> None:
    schedule = definition.schedule
    start = max(now, schedule.start) if schedule.start else now
    windows = Windows(definition.rules)
    report.calls_per_minute = calls_per_minute
    report.start = start.astimezone(UTC)
    report.finish, report.unsent = finishing_time(start, tally.zones, windows, calls_per_minute, schedule.end)
    if report.unsent and report.finish:
        report.warnings.append(f"about {report.unsent} will not be sent before its end")
    elif report.unsent:
        report.problems.append(f"about {report.unsent} could never be sent: their window does not open")


def _preview(definition: Definition, template: Template, person: Recipient) -> dict[str, Any]:
    row = dict(zip(definition.value_columns, person.values, strict=True))
    code, national = split(person.digits)
    payload = definition.payload(f"+{code}", national, row)
    return {"line": person.line, "text": preview(template, payload["template"]), "payload": payload}
