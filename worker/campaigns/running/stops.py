"""When a running campaign stops itself: too many failures, its template paused, its account paused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from worker.campaigns.definition.rules import Stop

from .progress import finished

HELD = "held"
FAILED = ("failed", "dead", "unknown", HELD)  # of those held few are left where receipts come
NOT_TRIED = ("skipped", "cancelled")


def too_many(stops: Sequence[Stop], counts: Mapping[str, int], base: Mapping[str, int]) -> str:
    """Which rule stops the campaign, in words, or an empty text; the counts in ``base`` are left out."""
    since = {name: max(0, counts.get(name, 0) - base.get(name, 0)) for name in {*counts, *base}}
    tried = finished(since) + since.get(HELD, 0) - sum(since.get(state, 0) for state in NOT_TRIED)
    for stop in stops:
        failed = sum(since.get(f"{state}|{stop.reason}" if stop.reason else state, 0) for state in FAILED)
        if failed >= stop.count and failed >= stop.share * tried:
            named = f" ({stop.reason})" if stop.reason else ""
            return f"{failed} of {tried} failed{named}"
    return ""


def paused_account(state: Sequence[bytes | None], now_ms: float) -> str:
    """Why the account is paused, of its ``paused_until``, ``why`` and ``by_hand``; empty when it is not.

    A throttled account, and one whose provider is unavailable, goes on by itself: no reason to stop a campaign.
    """
    until, why, by_hand = (value.decode() if value else "" for value in state)
    if float(until or 0) <= now_ms:
        return ""
    serious = by_hand == "1" or why.startswith(("account", "deployment"))
    return f"the account is paused: {why}" if serious else ""


def paused_template(group: bytes | None, now_ms: float) -> str:
    """Why the template is paused, of the ledger's ``until|how often|why``; empty when it is not."""
    if not group:
        return ""
    until, _, rest = group.decode(errors="replace").partition("|")
    return f"the template is paused: {rest.partition('|')[2]}" if float(until) > now_ms else ""
