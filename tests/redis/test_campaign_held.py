"""A recipient whose answer was lost: held, then delivered or unknown, and shown as that everywhere."""

from __future__ import annotations

import time
from typing import Any

import pytest

from interakt_jobs.ledger.keys import prefix
from interakt_jobs.ledger.redis_client import RedisClient
from worker.campaigns.running import control
from worker.campaigns.running.campaign_feeder import CampaignFeeder
from worker.campaigns.store.store import CampaignStore
from worker.cli.campaign import STATES
from worker.ledger import accounts
from worker.ledger.work_ledger import WorkLedger
from worker.webhooks.receipts import apply_receipt

from .test_campaign_feed import CID, DONE, adds_up, begin, take
from .test_held_ends import LOST, REFUSED, webhooks
from .test_ledger import holds_end


def lost(ledger: WorkLedger, link: RedisClient, people: int = 1, **other: Any) -> CampaignStore:
    """A campaign on an account with webhooks, each of whose answers was lost."""
    webhooks(ledger)
    store = begin(link, people, **other)
    CampaignFeeder().round(ledger)
    for work in take(ledger):
        ledger.step(work, LOST)
    return store


def row(link: RedisClient) -> dict[str, Any]:
    (found,) = control.export(link, "default", CID)
    return {name: found[name] for name in ("event", "state", "reason", "was", "round", "sequence")}


def receipt(ledger: WorkLedger, kind: str, round: int = 0) -> None:
    apply_receipt(ledger, f"{CID}.{round}.0", kind, at_ms=int(time.time() * 1000))


def test_it_is_held_and_a_receipt_delivers_it(ledger: WorkLedger, link: RedisClient) -> None:
    store = lost(ledger, link)
    assert adds_up(store) == {"held": 1, "held|unknown_outcome": 1}
    assert (row(link)["event"], row(link)["state"]) == ("", "held")
    now = control.progress(link, "default", CID)
    assert (now.left, now.status) == (1, "running")
    receipt(ledger, "delivered")
    assert adds_up(store) == {"delivered": 1}
    assert (row(link)["event"], row(link)["was"]) == ("receipt", "")
    CampaignFeeder().round(ledger)
    assert store.status() == "done"


def test_without_a_receipt_it_is_unknown_and_one_that_comes_then_is_a_named_correction(
    ledger: WorkLedger, link: RedisClient
) -> None:
    store = lost(ledger, link)
    holds_end(ledger)
    assert adds_up(store) == {"unknown": 1, "unknown|unknown_outcome": 1}
    ended = row(link)
    assert (ended["event"], ended["state"], ended["reason"]) == ("ended", "unknown", "unknown_outcome")
    receipt(ledger, "sent")
    corrected = row(link)
    assert (corrected["event"], corrected["state"], corrected["was"]) == ("receipt", "sent", "unknown")
    receipt(ledger, "read")
    assert (row(link)["state"], row(link)["was"]) == ("read", "unknown")
    assert ended["sequence"] < corrected["sequence"] < row(link)["sequence"]
    assert adds_up(store) == {"read": 1}


def test_a_late_answer_is_a_correction_by_itself(ledger: WorkLedger, link: RedisClient) -> None:
    webhooks(ledger)
    begin(link, 1)
    CampaignFeeder().round(ledger)
    (work,) = take(ledger)
    link.command("ZADD", f"{prefix('default')}run:bulk", 1, work.job_key)
    holds_end(ledger)
    holds_end(ledger)
    assert row(link)["state"] == "unknown"
    assert ledger.step(work, DONE)[0] == "settled"
    assert (row(link)["event"], row(link)["state"], row(link)["was"]) == ("corrected", "accepted", "unknown")


@pytest.mark.parametrize("kind", ["sent", "delivered"])
def test_a_receipt_of_the_round_before_corrects_whoever_waits_for_the_next(
    ledger: WorkLedger, link: RedisClient, kind: str
) -> None:
    store = lost(ledger, link)
    holds_end(ledger)
    control.pause(link, "default", CID)
    assert control.retry(link, "default", CID, unknown=True) == 1
    waiting = row(link)
    assert (waiting["event"], waiting["state"], waiting["was"], waiting["round"]) == ("", "planned", "", 1)
    receipt(ledger, kind)
    found = row(link)
    assert (found["state"], found["was"], found["round"]) == (kind, "unknown", 0)
    assert adds_up(store) == {kind: 1}


def test_a_new_round_begins_without_a_correction(ledger: WorkLedger, link: RedisClient) -> None:
    lost(ledger, link)
    holds_end(ledger)
    control.retry(link, "default", CID, unknown=True)
    CampaignFeeder().round(ledger)
    (work,) = take(ledger)
    ledger.step(work, DONE)
    assert (row(link)["event"], row(link)["was"], row(link)["round"]) == ("ended", "", 1)


def test_a_refusal_after_a_repeat_is_held_with_its_reason(ledger: WorkLedger, link: RedisClient) -> None:
    webhooks(ledger, receipts_at=int(time.time() * 1000))
    store = lost(ledger, link, retry={"repeat": "after_hold"})
    holds_end(ledger)
    (work,) = take(ledger)
    ledger.step(work, REFUSED)
    assert adds_up(store) == {"held": 1, "held|rejected": 1}
    holds_end(ledger)
    assert adds_up(store) == {"unknown": 1, "unknown|rejected": 1}


def test_those_who_are_held_leave_room_for_others(ledger: WorkLedger, link: RedisClient) -> None:
    accounts.set_rate(ledger, 300, 60)
    link.command("DEL", f"{prefix('default')}bud")
    webhooks(ledger)
    store = begin(link, 700, rules={"stop_when": [{"count": 10_000}]})
    feeder = CampaignFeeder()
    feeder.round(ledger)
    assert store.enqueued() == 300
    released = ledger.release("dispatcher", {"urgent": 0, "normal": 0, "bulk": 2})
    for work in ledger.claim("w", released.job_keys["bulk"]):
        link.command("DEL", f"{prefix('default')}bud")
        assert ledger.start(work.job_key, work.fence).word == "go"
        ledger.step(work, LOST)
    feeder.round(ledger)
    assert adds_up(store) == {"planned": 398, "enqueued": 300, "held": 2, "held|unknown_outcome": 2}


def test_many_who_are_held_stop_a_campaign_before_their_holds_are_over(
    ledger: WorkLedger, link: RedisClient
) -> None:
    store = lost(ledger, link, 30, rules={"stop_when": [{"share": 0.5, "count": 20}]})
    CampaignFeeder().round(ledger)
    assert store.status() == "paused"
    assert control.progress(link, "default", CID).why == "30 of 30 failed"


def test_a_campaign_is_not_done_nor_dropped_while_somebody_is_held(
    ledger: WorkLedger, link: RedisClient
) -> None:
    store = lost(ledger, link, 2)
    control.cancel(link, "default", CID)
    CampaignFeeder().round(ledger)
    assert (store.status(), adds_up(store)["held"]) == ("cancelled", 2)
    assert store.drop() == "not at rest yet"
    receipt(ledger, "sent")
    holds_end(ledger)
    assert adds_up(store) == {"sent": 1, "unknown": 1, "unknown|unknown_outcome": 1}
    assert store.drop() == "dropped"


def test_every_state_has_its_words_in_the_terminal() -> None:
    from interakt_jobs.ledger.recipient_numbers import STATES as known

    assert {state for state, _ in STATES} == set(known)
