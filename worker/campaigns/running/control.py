"""Plan, start, pause, resume, cancel and retry campaigns.

Every function is safe to repeat; ``who`` is kept in the audit. All of them raise ``NoSuchCampaign`` for an id that this
Redis does not have, ``CampaignError`` for what cannot be done in the campaign's status, and ``LedgerUnreachable``.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable

from interakt_jobs.ledger.redis_client import RedisClient
from worker.campaigns.definition.definition import Definition
from worker.campaigns.definition.errors import CampaignError, NoSuchCampaign
from worker.campaigns.planning.planner import Tally, plan
from worker.campaigns.recipients.rows import Rejected
from worker.campaigns.recipients.sources import Source
from worker.campaigns.store.store import CampaignStore, mint_id

from .export import export
from .progress import Progress, progress
from .rounds import retry

__all__ = [
    "Progress",
    "cancel",
    "create",
    "export",
    "pause",
    "progress",
    "resume",
    "retry",
    "start",
    "transition",
]


def create(
    link: RedisClient,
    definition: Definition,
    source: Source,
    *,
    campaign: str = "",
    reject: Callable[[Rejected], None] | None = None,
    accept: Callable[[Tally], None] = lambda tally: None,
) -> tuple[str, Tally]:
    """Plan a campaign in ``definition.account``; nothing is sent before ``start``. Returns its id and the tally.

    Without ``campaign`` an id is minted. With one, a repeat gives back what is planned already, and a plan that a crash
    cut off is made anew. ``reject`` is called with each row that is left out, ``accept`` with the tally: if it raises,
    nothing is planned. Raises ``CampaignError`` (columns that do not match), ``PlanTaken`` while another process plans
    the same id, and ``OSError``.
    """
    campaign = campaign or mint_id()
    store = CampaignStore(link, definition.account, campaign)
    if store.status() not in ("", "planning"):
        meta = store.meta()
        tally = Tally(
            recipients=int(meta.get("recipients", "0")),
            rejected=Counter(json.loads(meta.get("rejected", "{}"))),
            countries=Counter(json.loads(meta.get("countries", "{}"))),
        )
        return campaign, tally
    return campaign, plan(link, definition, campaign, source, reject, accept)


def start(link: RedisClient, account: str, campaign: str, *, who: str = "") -> str:
    """Let a planned campaign be sent, from its own start on; returns ``running``.

    One that runs already goes on. A paused one is not started but resumed: ``CampaignError``.
    """
    return transition(link, account, campaign, "running", "", "planned", "waits", "", who=who)


def pause(link: RedisClient, account: str, campaign: str, why: str = "by hand", *, who: str = "") -> str:
    """Stop sending; returns ``paused``. What was enqueued and has not been started goes back to the plan before
    this returns.

    Calls that have left are not called back. A second ``why`` does not replace the first.
    """
    status = transition(link, account, campaign, "paused", why, "running", who=who)
    CampaignStore(link, account, campaign).withdraw()
    return status


def resume(link: RedisClient, account: str, campaign: str, *, who: str = "") -> str:
    """Go on with a paused campaign; returns ``running``. What failed before does not count for ``stop_when`` again."""
    store = CampaignStore(link, account, campaign)
    facts = ("base", json.dumps(store.counts()), "waits", "")
    return transition(link, account, campaign, "running", "", "paused", *facts, who=who)


def cancel(link: RedisClient, account: str, campaign: str, *, who: str = "") -> str:
    """End a campaign for good; returns ``cancelled``. Nothing is sent after this returns.

    Recipients without an outcome become ``cancelled``; those whose call is under way keep their outcome.
    """
    status = transition(link, account, campaign, "cancelled", "by hand", "planned,running,paused", who=who)
    store = CampaignStore(link, account, campaign)
    store.withdraw()
    store.close("cancelled")
    return status


def transition(
    link: RedisClient,
    account: str,
    campaign: str,
    status: str,
    why: str,
    allowed: str,
    *facts: str,
    who: str = "",
) -> str:
    """Change the status from one of ``allowed`` (joined by commas), with field, value pairs of the meta hash."""
    store = CampaignStore(link, account, campaign)
    answer = store.run("transition", status, why, allowed, who, *facts)[0].decode()
    if answer == "missing":
        raise NoSuchCampaign(f"no campaign {campaign} in the account {account}")
    if answer not in ("changed", "same"):
        raise CampaignError({"": f"campaign {campaign} is {answer}: it cannot become {status} now"})
    return status
