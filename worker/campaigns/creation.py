"""Make a campaign with preflight, from the command line or from Python."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interakt_jobs import JobError, list_templates, pages
from interakt_jobs.ledger.redis_client import RedisClient

from .definition.definition import Definition
from .definition.errors import PlanTaken
from .planning import prices
from .planning.planner import survey
from .planning.preflight import find_template, preflight
from .planning.report import Report
from .planning.templates import find, mismatches
from .recipients.optout import OptOut
from .recipients.rows import Rejected
from .recipients.sources import Source
from .running import control
from .running.progress import calls_per_minute
from .store.store import CampaignStore, mint_id

PAGE = 100


@dataclass(frozen=True, slots=True)
class Checked:
    """``campaign`` is the planned one's id, or empty when preflight refused it or nothing was to be planned."""

    campaign: str
    report: Report


def templates(definition: Definition, timeout: float = 60.0) -> list[Mapping[str, Any]]:
    """The account's templates, a job a page, up to the campaign's own; raises what ``Job.get`` raises."""
    rows: list[Mapping[str, Any]] = []
    first = {"offset": 0, "limit": PAGE}
    for page in pages(list_templates, first, timeout=timeout, account=definition.account):
        rows += page
        if not find(page, definition.template)[1]:
            break
    return rows


def wrong_template(definition: Definition, known: Sequence[Mapping[str, Any]]) -> list[str]:
    """Problems of the template that are known before recipients are read; ``preflight`` finds them too."""
    template, problems = find_template(known, definition.template)
    return problems or (mismatches(template, definition.template) if template else [])


def check(
    link: RedisClient,
    definition: Definition,
    source: Source,
    *,
    price_file: Path | str = prices.DEFAULT,
    reject: Callable[[Rejected], None] | None = None,
    timeout: float = 60.0,
) -> Report:
    """Preflight without planning: all but send. Raises ``CampaignError``, ``OSError``, and what ``Job.get`` raises."""
    known, costs = templates(definition, timeout), prices.load(price_file)
    tally = survey(definition, source, OptOut(link, definition.account), reject)
    rate = calls_per_minute(CampaignStore(link, definition.account, mint_id()))
    return preflight(definition, known, tally, costs, calls_per_minute=rate)


def create(
    link: RedisClient,
    definition: Definition,
    source: Source,
    *,
    campaign: str = "",
    price_file: Path | str = prices.DEFAULT,
    reject: Callable[[Rejected], None] | None = None,
    timeout: float = 60.0,
) -> Checked:
    """Plan a campaign and keep it if preflight finds no problem; nothing is sent before ``control.start``.

    The list is gone through once, and not at all when the template is not there or wants other values; the campaigns'
    jobs go to the Redis of ``interakt_jobs.configure``, which must be that of ``link``. Raises as ``check`` does.
    """
    known, costs = templates(definition, timeout), prices.load(price_file)
    if problems := wrong_template(definition, known):
        name = f"{definition.template.name} ({definition.template.language})"
        return Checked("", Report(definition.name, name, problems))
    store = CampaignStore(link, definition.account, campaign or mint_id())
    try:
        _, tally = control.create(link, definition, source, campaign=store.campaign, reject=reject)
    except BaseException as error:  # a list that breaks off, Ctrl-C: half a plan is of use to nobody
        if not isinstance(error, PlanTaken):
            with contextlib.suppress(JobError):
                store.drop("planning")
        raise
    report = preflight(definition, known, tally, costs, calls_per_minute=calls_per_minute(store))
    if not report.ok:
        store.drop("planned")
        return Checked("", report)
    return Checked(store.campaign, report)
