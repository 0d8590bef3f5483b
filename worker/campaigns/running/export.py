"""The export of a campaign: one dict per recipient."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from interakt_jobs.event import RANKS, JobEvent, latest
from interakt_jobs.ledger.keys import job_id
from interakt_jobs.ledger.redis_client import RedisClient
from worker.campaigns.store.recipient_state import RecipientState
from worker.campaigns.store.store import CampaignStore

from .progress import UNFINISHED


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
        person, state = outcome.recipient, outcome.recipient_state
        has_failed = state.state == "failed"
        made = {
            "index": outcome.index,
            "line": person.line,
            "phone": f"+{person.digits}",
            **_event_of(job_id(account, f"{campaign}.{state.round}.{outcome.index}"), state)._asdict(),
            "ambiguous": state.ambiguous,
            "at": _iso(state.at),
            "sent": _iso(state.sent),
            "delivered": _iso(state.delivered),
            "read": "" if has_failed else _iso(state.last),
            "failed": _iso(state.last) if has_failed else "",
        }
        own = zip(columns, (*person.values, *person.own), strict=False)
        yield {**made, **{f"{name} (file)" if name in made else name: cell for name, cell in own}}


def _event_of(id: str, now: RecipientState) -> JobEvent:
    """The recipient's latest event, with its own ``state``, ``was`` and ``reason``; ``event`` is empty before the end."""
    if now.state in UNFINISHED:
        return JobEvent(id, "", now.state, now.reason, round=now.round, sequence=10 * now.round)
    return latest(
        id,
        now.state,
        reason=now.reason,
        was=now.was,
        round=now.round,
        receipt=now.state if now.state in RANKS else "",
        code=now.reason,
        provider_id=now.provider_id,
    )


def _iso(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat() if moment else ""
