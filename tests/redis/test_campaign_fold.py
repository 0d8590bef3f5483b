"""Folding: what a job of a campaign comes to is in the slot, whatever the order in which it is heard."""

from __future__ import annotations

import itertools
import time
import uuid
from typing import Any

import pytest

from interakt_jobs.errors import NotCancellable
from interakt_jobs.event import RANKS
from interakt_jobs.ledger.keys import prefix, task_job_key
from interakt_jobs.ledger.recipient_numbers import FAILURE_CODES
from interakt_jobs.ledger.redis_client import RedisClient
from worker.campaigns.store.recipient_state import RecipientState
from worker.campaigns.store.store import CampaignStore
from worker.ledger.work_ledger import Work, WorkLedger
from worker.webhooks.receipts import apply_receipt

from .recipient_states import state_of
from .test_campaign_feed import CID, DONE, CampaignFeeder, adds_up, begin, take
from .test_ledger import holds_end, reap, receipts_live

UNKNOWN = ("unknown", "timeout", "", 1)
JOB_KEY = f"{CID}.0.0"


def one(ledger: WorkLedger, link: RedisClient, **other: Any) -> tuple[CampaignStore, Work]:
    """A campaign of one, started."""
    store = begin(link, 1, **other)
    CampaignFeeder().round(ledger)
    (work,) = take(ledger)
    return store, work


def first(store: CampaignStore) -> RecipientState:
    found = state_of(store, 0)
    assert found is not None
    return found


def at(store: CampaignStore, seconds: int) -> int:
    """So many seconds after the recipient's own time, in ms."""
    return (first(store).at + seconds) * 1000


def gone(link: RedisClient, job_key: str = JOB_KEY) -> bool:
    """Nothing is left of the job but its slot."""
    keys = [f"{prefix('default')}{name}:{job_key}" for name in ("j", "d", "log", "early", "r")]
    members = [
        *(
            link.command("ZSCORE", f"{prefix('default')}{name}", job_key)
            for name in ("dead", "held", "failed", "expires", "ready:bulk")
        ),
        *(
            link.command("HGET", f"{prefix('default')}{name}", job_key)
            for name in ("tries", "possibly_sent", "fl")
        ),
    ]
    return not link.command("EXISTS", *keys) and not any(members)


def test_an_accepted_message_keeps_interakts_id_and_when(ledger: WorkLedger, link: RedisClient) -> None:
    store, work = one(ledger, link)
    provider = str(uuid.uuid4())
    ledger.step(work, ("done", provider, 200, "", 60, "1", '{"x":1}'))
    found = first(store)
    assert (found.state, found.provider_id, found.reason) == ("accepted", provider, "")
    assert abs(found.at - time.time()) < 600
    assert gone(link)
    assert adds_up(store) == {"accepted": 1}


@pytest.mark.parametrize("order", list(itertools.permutations(["sent", "delivered", "read"])))
def test_receipts_in_any_order_and_twice_come_to_the_same(
    ledger: WorkLedger, link: RedisClient, order: tuple[str, ...]
) -> None:
    store, work = one(ledger, link)
    ledger.step(work, DONE)
    for kind in (*order, *order):
        apply_receipt(ledger, JOB_KEY, kind, at_ms=at(store, RANKS[kind]))
    found, base = first(store), first(store).at
    assert (found.state, found.last) == ("read", base + RANKS["read"])
    assert (found.sent, found.delivered) == (base + 1, base + 3)
    assert adds_up(store) == {"read": 1}


def test_a_failed_delivery_has_its_reason_and_a_later_delivery_wins(
    ledger: WorkLedger, link: RedisClient
) -> None:
    store, work = one(ledger, link)
    ledger.step(work, DONE)
    apply_receipt(ledger, JOB_KEY, "failed", at_ms=at(store, 5), code="131049")
    assert adds_up(store) == {"failed": 1, "failed|marketing_cap": 1}
    apply_receipt(ledger, JOB_KEY, "sent", at_ms=at(store, 1))
    assert (first(store).state, first(store).sent) == ("failed", first(store).at + 1)
    apply_receipt(ledger, JOB_KEY, "delivered", at_ms=at(store, 9))
    assert (first(store).state, first(store).last) == ("delivered", 0)
    apply_receipt(ledger, JOB_KEY, "failed", at_ms=at(store, 10), code="131026")
    assert adds_up(store) == {"delivered": 1}


def test_both_languages_know_the_same_failure_codes(ledger: WorkLedger, link: RedisClient) -> None:
    codes = [
        "131026",
        "1013",
        "131049",
        "130472",
        "131047",
        "131048",
        "131056",
        "130429",
        "131000",
        "131008",
        "131052",
    ]
    codes += ["131053", "132000", "132001", "132012", "132015", "132016", "1", ""]
    store = begin(link, len(codes))
    CampaignFeeder().round(ledger)
    for work in take(ledger):
        ledger.step(work, DONE)
    for index, code in enumerate(codes):
        apply_receipt(ledger, f"{CID}.0.{index}", "failed", at_ms=1, code=code)
    assert [outcome.recipient_state.reason for outcome in store.outcomes()] == [
        FAILURE_CODES.get(code, "other") for code in codes
    ]
    adds_up(store)


@pytest.mark.parametrize(
    ("outcome", "state", "reason"),
    [
        (("dead", "rejected", "no", 400, ""), "dead", "rejected"),
        (("dead", "invalid_payload", "no", "", ""), "dead", "invalid_payload"),
        (UNKNOWN, "unknown", "unknown_outcome"),
    ],
)
def test_a_job_that_dies_ends_in_its_slot_and_on_no_list(
    ledger: WorkLedger, link: RedisClient, outcome: tuple[Any, ...], state: str, reason: str
) -> None:
    store, work = one(ledger, link)
    assert ledger.step(work, outcome)[0] == "ok"
    assert adds_up(store) == {state: 1, f"{state}|{reason}": 1}
    assert gone(link)
    assert ledger.step(work, outcome)[0] in ("gone", "already")
    assert adds_up(store) == {state: 1, f"{state}|{reason}": 1}


@pytest.mark.parametrize("kind", ["sent", "delivered", "read", "failed"])
def test_a_receipt_settles_an_unknown_one_whose_record_is_gone(
    ledger: WorkLedger, link: RedisClient, kind: str
) -> None:
    store, work = one(ledger, link)
    ledger.step(work, UNKNOWN)
    provider = str(uuid.uuid4())
    applied = apply_receipt(
        ledger, JOB_KEY, kind, at_ms=int(time.time() * 1000), provider_id=provider, code="131026"
    )
    assert applied == ("settled", "new")
    assert (first(store).state, first(store).provider_id, first(store).ambiguous) == (kind, provider, False)
    assert apply_receipt(ledger, JOB_KEY, kind, at_ms=5) == ("known", "old")
    adds_up(store)


def test_an_answer_that_comes_after_its_job_was_given_up_is_kept(
    ledger: WorkLedger, link: RedisClient
) -> None:
    store, work = one(ledger, link)
    link.command("ZADD", f"{prefix('default')}run:bulk", 1, JOB_KEY)
    reap(ledger)
    assert adds_up(store) == {"unknown": 1, "unknown|unknown_outcome": 1}
    provider = str(uuid.uuid4())
    answer = ("done", provider, 200, "", 60, "0", "")
    assert ledger.step(work, answer)[0] == "settled"
    assert ledger.step(work, answer)[0] == "already"
    assert (first(store).state, first(store).provider_id) == ("accepted", provider)
    assert adds_up(store) == {"accepted": 1}


def test_an_answer_after_the_receipt_adds_interakts_id(ledger: WorkLedger, link: RedisClient) -> None:
    store, work = one(ledger, link)
    link.command("ZADD", f"{prefix('default')}run:bulk", 1, JOB_KEY)
    reap(ledger)
    apply_receipt(ledger, JOB_KEY, "delivered", at_ms=int(time.time() * 1000))
    provider = str(uuid.uuid4())
    assert ledger.step(work, ("done", provider, 200, "", 60, "0", ""))[0] == "already"
    assert (first(store).state, first(store).provider_id) == ("delivered", provider)


def test_a_receipt_that_comes_before_the_answer_is_not_lost(ledger: WorkLedger, link: RedisClient) -> None:
    store, work = one(ledger, link)
    assert apply_receipt(ledger, JOB_KEY, "delivered", at_ms=int(time.time() * 1000)).delivery == "none"
    ledger.step(work, DONE)
    assert adds_up(store) == {"delivered": 1}
    assert gone(link)


def test_a_receipt_before_the_time_out_makes_it_accepted_after_all(
    ledger: WorkLedger, link: RedisClient
) -> None:
    store, work = one(ledger, link)
    apply_receipt(ledger, JOB_KEY, "sent", at_ms=int(time.time() * 1000))
    ledger.step(work, UNKNOWN)
    assert adds_up(store) == {"sent": 1}
    assert gone(link)


def test_one_that_is_sent_again_after_its_hold_is_marked(ledger: WorkLedger, link: RedisClient) -> None:
    receipts_live(ledger)
    store, work = one(ledger, link, retry={"repeat": "after_hold"})
    ledger.step(work, UNKNOWN)
    assert adds_up(store) == {"held": 1, "held|unknown_outcome": 1}
    holds_end(ledger)
    assert adds_up(store) == {"enqueued": 1}
    (again,) = take(ledger)
    ledger.step(again, DONE)
    assert first(store).ambiguous
    assert adds_up(store) == {"accepted": 1}
    assert gone(link)


def test_one_that_may_have_been_sent_and_then_died_is_unknown(ledger: WorkLedger, link: RedisClient) -> None:
    receipts_live(ledger)
    store, work = one(ledger, link, retry={"repeat": "after_hold"})
    ledger.step(work, UNKNOWN)
    holds_end(ledger)
    (again,) = take(ledger)
    ledger.step(again, ("dead", "rejected", "no", 400, ""))
    assert adds_up(store) == {"held": 1, "held|rejected": 1}
    holds_end(ledger)
    assert adds_up(store) == {"unknown": 1, "unknown|rejected": 1}


def test_a_repeated_settle_after_a_lost_answer_changes_nothing(ledger: WorkLedger, link: RedisClient) -> None:
    store = begin(link, 2)
    CampaignFeeder().round(ledger)
    first, second = take(ledger)
    assert ledger.step(first, DONE, "bulk", "worker")[0] == "ok"
    before = state_of(store, 0)
    time.sleep(1.1)
    assert ledger.step(first, DONE, "bulk", "worker", again=True)[0] == "already"
    assert state_of(store, 0) == before
    ledger.step(second, DONE)
    assert adds_up(store) == {"accepted": 2}


def test_a_worker_that_dies_between_feed_and_start_repeats_nobody(
    ledger: WorkLedger, link: RedisClient
) -> None:
    store = begin(link, 1)
    CampaignFeeder().round(ledger)
    released = ledger.release("dispatcher", {"urgent": 0, "normal": 0, "bulk": 9})
    (old,) = ledger.claim("worker", released.job_keys["bulk"])
    link.command("ZADD", f"{prefix('default')}rel:bulk", 1, JOB_KEY)
    reap(ledger)
    (work,) = take(ledger)
    assert ledger.start(old.job_key, old.fence).word == "gone"
    ledger.step(work, DONE)
    assert adds_up(store) == {"accepted": 1}


def test_a_job_of_a_campaign_can_be_cancelled_alone(ledger: WorkLedger, link: RedisClient) -> None:
    store = begin(link, 2)
    CampaignFeeder().round(ledger)
    ledger.cancel(f"{CID}.0.1")
    (work,) = take(ledger)
    with pytest.raises(NotCancellable):
        ledger.cancel(JOB_KEY)
    ledger.step(work, DONE)
    assert adds_up(store) == {"accepted": 1, "cancelled": 1}


def test_a_receipt_of_nobody_is_missing(ledger: WorkLedger, link: RedisClient) -> None:
    store = begin(link, 1)
    for job_key in ("cffffffff.0.0", f"{CID}.0.999999", "0" * 32, "c.0.0", f"{CID}.0"):
        assert apply_receipt(ledger, job_key, "sent", at_ms=5) == ("missing", "none")
    assert adds_up(store) == {"planned": 1}


def test_other_jobs_end_as_they_did(ledger: WorkLedger, link: RedisClient, accept: Any) -> None:
    job_key = accept(lane="bulk", repeat="never")
    (work,) = take(ledger)
    ledger.step(work, UNKNOWN)
    assert ledger.read(job_key).reason == "unknown_outcome"


def test_an_id_that_only_looks_like_a_campaigns_is_any_jobs(ledger: WorkLedger, accept: Any) -> None:
    job_key = accept(job_key="cart.12.5", lane="bulk", repeat="never")
    (work,) = take(ledger)
    ledger.step(work, DONE)
    apply_receipt(ledger, job_key, "read", at_ms=5)
    assert (ledger.read(job_key).state, ledger.read(job_key).delivery) == ("done", "4.read.5.")
    for taken in (JOB_KEY, f"ij1.default.{JOB_KEY}"):
        with pytest.raises(ValueError, match="campaign's message"):
            task_job_key(taken)
    assert task_job_key("cart.12.5") == "cart.12.5"
