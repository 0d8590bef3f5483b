"""What a person, an app or a schedule does with a campaign: create, start, pause, resume, cancel, retry, look, export.

Every function is safe to repeat; ``who`` stands in the audit. All of them raise ``NoSuchCampaign`` for an id that this
Redis does not have, ``CampaignError`` for what cannot be done in the campaign's status, and ``LedgerUnreachable``.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from interakt_jobs.ledger.keys import job_id
from interakt_jobs.ledger.redis_client import RedisClient
from worker.campaigns.definition.definition import Definition
from worker.campaigns.errors import CampaignError, NoSuchCampaign
from worker.campaigns.planning.planner import Tally, plan
from worker.campaigns.recipients.reader import Rejected
from worker.campaigns.recipients.sources import Source
from worker.campaigns.store.scripts import load
from worker.campaigns.store.store import CampaignStore, mint_id

from . import rounds, withdrawal
from .progress import Progress, progress
from .recipient_events import event_of

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
    "turn",
]
TURN = load("turn")


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
    cut off is made anew. ``reject`` hears of each row that is left out, ``accept`` of the tally: it may raise, then
    nothing is planned. Raises ``CampaignError`` (columns that do not
    match), ``PlanTaken`` while another process plans the same id, and ``OSError``.
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
    return turn(link, account, campaign, "running", "", "planned", "waits", "", who=who)


def pause(link: RedisClient, account: str, campaign: str, why: str = "by hand", *, who: str = "") -> str:
    """Stop sending; returns ``paused``. What was enqueued and has not been started goes back to the plan before
    this returns.

    Calls that have left are not called back. A second ``why`` does not replace the first.
    """
    status = turn(link, account, campaign, "paused", why, "running", who=who)
    withdrawal.withdraw(CampaignStore(link, account, campaign))
    return status


def resume(link: RedisClient, account: str, campaign: str, *, who: str = "") -> str:
    """Go on with a paused campaign; returns ``running``. What failed before does not count for ``stop_when`` again."""
    store = CampaignStore(link, account, campaign)
    facts = ("base", json.dumps(store.counts()), "waits", "")
    return turn(link, account, campaign, "running", "", "paused", *facts, who=who)


def cancel(link: RedisClient, account: str, campaign: str, *, who: str = "") -> str:
    """End a campaign for good; returns ``cancelled``. Nothing is sent after this returns.

    Recipients without an outcome become ``cancelled``; those whose call is under way keep what it comes to.
    """
    status = turn(link, account, campaign, "cancelled", "by hand", "planned,running,paused", who=who)
    store = CampaignStore(link, account, campaign)
    withdrawal.withdraw(store)
    withdrawal.close(store, "cancelled", "")
    return status


def retry(
    link: RedisClient,
    account: str,
    campaign: str,
    *,
    failed: bool = False,
    unknown: bool = False,
    not_delivered: bool = False,
    who: str = "",
) -> int:
    """Open a new round of exactly those recipients; returns how many there are.

    ``failed`` is those whom Interakt or Meta refused (``failed`` and ``dead``); ``unknown`` those who may or may not have
    got it, and so may get it twice; ``not_delivered`` those without a receipt of delivery: ``failed``, ``dead``,
    ``accepted`` and ``sent``. The rules hold again: opt-out, frequency, windows, the end. A finished campaign runs
    again, a paused one stays paused. After a crash the same call goes on where it was, with the same round, block by
    block. Raises ``CampaignError`` when the campaign is planned or cancelled, when its end has passed, or after
    63 rounds.
    """
    return rounds.open_round(
        CampaignStore(link, account, campaign),
        failed=failed,
        unknown=unknown,
        not_delivered=not_delivered,
        who=who,
    )


def export(link: RedisClient, account: str, campaign: str) -> Iterator[dict[str, Any]]:
    """One dict per recipient, block by block, in the order of their indexes.

    ``index`` is the last part of the job's id, ``line`` the one in the source, ``phone`` E.164 with its plus. The fields of
    ``JobEvent`` follow, with the recipient's own ``state``, ``was`` and ``reason``; ``event`` is empty before the end. Then
    ``ambiguous`` (it may have been sent more than once) and the times ``at`` (enqueued; then accepted; then ended
    without being accepted), ``sent``, ``delivered``, ``read`` and ``failed`` in ISO 8601, UTC; empty for never.
    The columns of the file that are kept come last; one that is named as one of these gets `` (file)`` behind its name.
    """
    store = CampaignStore(link, account, campaign)
    columns = (*store.definition().value_columns, *json.loads(store.meta().get("own", "[]")))
    for outcome in store.outcomes():
        person, slot = outcome.recipient, outcome.slot
        has_failed = slot.state == "failed"
        made = {
            "index": outcome.index,
            "line": person.line,
            "phone": f"+{person.digits}",
            **event_of(job_id(account, f"{campaign}.{slot.round}.{outcome.index}"), slot)._asdict(),
            "ambiguous": slot.ambiguous,
            "at": _iso(slot.at),
            "sent": _iso(slot.sent),
            "delivered": _iso(slot.delivered),
            "read": "" if has_failed else _iso(slot.last),
            "failed": _iso(slot.last) if has_failed else "",
        }
        own = zip(columns, (*person.values, *person.own), strict=False)
        yield {**made, **{f"{name} (file)" if name in made else name: cell for name, cell in own}}


def turn(
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
    answer: str = link.run(TURN, store.keys, campaign, status, why, allowed, who, *facts)[0].decode()
    if answer == "missing":
        raise NoSuchCampaign(f"no campaign {campaign} in the account {account}")
    if answer not in ("changed", "same"):
        raise CampaignError({"": f"campaign {campaign} is {answer}: it cannot become {status} now"})
    return status


def _iso(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat() if moment else ""
