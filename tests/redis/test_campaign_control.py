"""Pause, resume, cancel, retry, progress and export; each may be repeated and cut off anywhere."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import Any

import pytest

from interakt_jobs.ledger.keys import prefix
from interakt_jobs.ledger.redis_client import RedisClient
from interakt_jobs.ledger.scripts import Script
from worker.campaigns.definition.errors import CampaignError, NoSuchCampaign
from worker.campaigns.recipients.optout import OptOut
from worker.campaigns.running import control, rounds
from worker.campaigns.running.campaign_feeder import CampaignFeeder
from worker.campaigns.store.store import CampaignStore
from worker.ledger.work_ledger import WorkLedger
from worker.webhooks.receipts import apply_receipt

from .test_campaign_feed import CID, DONE, adds_up, begin, definition, people, send_all, take

REFUSED = ("dead", "rejected", "no", 400, "")
LOST = ("unknown", "timeout", "", 1)


def mixed(ledger: WorkLedger, link: RedisClient, **other: Any) -> CampaignStore:
    """Ten people: accepted, delivered, failed, dead and unknown, two of each."""
    store = begin(link, 10, rules={"stop_when": [{"count": 1000}], **other})
    feeder = CampaignFeeder()
    feeder.round(ledger)
    for work in take(ledger):
        index = int(work.job_key.rpartition(".")[2])
        ledger.step(work, (DONE, DONE, DONE, REFUSED, LOST)[index // 2])
    for index, kind in ((2, "delivered"), (3, "delivered"), (4, "failed"), (5, "failed")):
        apply_receipt(ledger, f"{CID}.0.{index}", kind, at_ms=int(time.time() * 1000), code="131026")
    feeder.round(ledger)
    assert store.status() == "done"
    return store


def states(store: CampaignStore) -> Counter[str]:
    return Counter(outcome.recipient_state.state for outcome in store.outcomes())


def test_a_campaign_is_created_once_under_its_id(link: RedisClient) -> None:
    made, tally = control.create(link, definition(), people(5), campaign=CID)
    again, same = control.create(link, definition(), people(9), campaign=CID)
    assert (made, again, tally.recipients, same.recipients) == (CID, CID, 5, 5)
    minted, _ = control.create(link, definition(), people(1))
    assert minted != CID
    found = control.progress(link, "default", CID)
    assert (found.status, found.recipients, found.counts) == ("planned", 5, {"planned": 5})


def test_only_what_is_planned_is_started_and_twice_is_once(link: RedisClient) -> None:
    control.create(link, definition(), people(5), campaign=CID)
    assert control.start(link, "default", CID) == "running"
    assert control.start(link, "default", CID) == "running"
    control.pause(link, "default", CID)
    with pytest.raises(CampaignError, match="is paused"):
        control.start(link, "default", CID)
    with pytest.raises(NoSuchCampaign):
        control.start(link, "default", "cffffffff")


def test_a_pause_takes_back_what_was_not_started_and_resume_sends_it_once(
    ledger: WorkLedger, link: RedisClient
) -> None:
    store, feeder = begin(link, 50), CampaignFeeder()
    feeder.round(ledger)
    released = ledger.release("dispatcher", {"urgent": 0, "normal": 0, "bulk": 20}).job_keys["bulk"]
    claimed = ledger.claim("worker", released[:10])
    assert ledger.start(claimed[0].job_key, claimed[0].fence).word == "go"
    assert control.pause(link, "default", CID) == "paused"
    assert control.pause(link, "default", CID, "again") == "paused"
    assert control.progress(link, "default", CID).why == "by hand"
    assert adds_up(store) == {"planned": 49, "enqueued": 1}
    assert all(ledger.start(work.job_key, work.fence).word == "gone" for work in claimed[1:])
    assert feeder.round(ledger) == 0
    ledger.step(claimed[0], DONE)
    assert adds_up(store) == {"planned": 49, "accepted": 1}
    assert control.resume(link, "default", CID) == "running"
    assert len(send_all(ledger, feeder)) == 49
    assert adds_up(store) == {"accepted": 50}


def test_a_paused_campaign_sends_nothing_even_if_its_jobs_were_not_taken_back(
    ledger: WorkLedger, link: RedisClient
) -> None:
    store = begin(link, 5)
    CampaignFeeder().round(ledger)
    control.transition(
        link, "default", CID, "paused", "a crash came before the jobs were taken back", "running"
    )
    assert take(ledger) == []
    assert adds_up(store) == {"planned": 5}


def test_one_under_way_when_paused_is_not_tried_again_until_resumed(
    ledger: WorkLedger, link: RedisClient
) -> None:
    store, feeder = begin(link, 1), CampaignFeeder()
    feeder.round(ledger)
    (work,) = take(ledger)
    control.pause(link, "default", CID)
    ledger.step(work, ("retry", 1, "503", ""))
    time.sleep(0.005)
    assert take(ledger) == []
    feeder.round(ledger)
    assert adds_up(store) == {"enqueued": 1}
    control.resume(link, "default", CID)
    link.command("ZADD", f"{prefix('default')}ready:bulk", 1, work.job_key)
    (again,) = take(ledger)
    ledger.step(again, DONE)
    assert adds_up(store) == {"accepted": 1}


def test_cancel_ends_everybody_and_keeps_what_is_under_way(ledger: WorkLedger, link: RedisClient) -> None:
    store, feeder = begin(link, 1500), CampaignFeeder()
    feeder.round(ledger)
    (work, *_), ready = take(ledger, 1), store.enqueued()
    assert ready > 1
    assert control.cancel(link, "default", CID) == "cancelled"
    assert control.cancel(link, "default", CID) == "cancelled"
    counts = adds_up(store)
    assert counts["cancelled"] + counts.get("enqueued", 0) == 1500
    ledger.step(work, DONE)
    feeder.round(ledger)
    for later in take(ledger):
        ledger.step(later, DONE)
    with pytest.raises(CampaignError, match="is cancelled"):
        control.resume(link, "default", CID)
    with pytest.raises(CampaignError, match="cancelled"):
        control.retry(link, "default", CID, failed=True)
    assert store.drop() == ("dropped" if store.enqueued() == 0 else "not at rest yet")


@pytest.mark.parametrize(
    ("whom", "indexes"),
    [
        ({"failed": True}, {4, 5, 6, 7}),
        ({"unknown": True}, {8, 9}),
        ({"not_delivered": True}, {0, 1, 4, 5, 6, 7}),
        ({"failed": True, "unknown": True}, {4, 5, 6, 7, 8, 9}),
    ],
)
def test_a_retry_sends_to_exactly_those(
    ledger: WorkLedger, link: RedisClient, whom: dict[str, bool], indexes: set[int]
) -> None:
    store = mixed(ledger, link)
    assert control.retry(link, "default", CID, **whom) == len(indexes)
    assert control.progress(link, "default", CID).status == "running"
    adds_up(store)
    sent = send_all(ledger, CampaignFeeder())
    assert set(sent) == {f"{CID}.1.{index}" for index in indexes}
    assert store.status() == "done"
    adds_up(store)


def test_a_retry_cut_off_anywhere_goes_on_with_the_same_round(
    ledger: WorkLedger, link: RedisClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = begin(link, 2500, rules={"stop_when": [{"count": 10_000}]})
    feeder = CampaignFeeder()
    while store.counts().get("planned") or store.enqueued():
        feeder.round(ledger)
        for work in take(ledger):
            ledger.step(work, REFUSED)
    feeder.round(ledger)
    run, left = link.run, [2]

    def dying(script: Script, *arguments: Any, **more: Any) -> Any:
        if script.name == "round_block":
            left[0] -= 1
            if left[0] < 0:
                raise SystemError("killed")
        return run(script, *arguments, **more)

    monkeypatch.setattr(link, "run", dying)
    with pytest.raises(SystemError):
        control.retry(link, "default", CID, failed=True)
    monkeypatch.undo()
    assert adds_up(store)["planned"] == 2000
    assert control.retry(link, "default", CID, failed=True) == 2500
    assert adds_up(store) == {"planned": 2500}
    assert {outcome.recipient_state.round for outcome in store.outcomes()} == {1}


def test_a_round_that_nobody_ended_is_opened_whole_by_the_feeder(
    ledger: WorkLedger, link: RedisClient
) -> None:
    store = mixed(ledger, link)
    store.run("round_begin", "dead|failed", 63, 0)
    assert states(store)["planned"] == 0
    rounds.go_on(store)
    rounds.go_on(store)
    assert states(store)["planned"] == 4
    assert store.status() == "running"


def test_the_rules_hold_again_in_a_retry(ledger: WorkLedger, link: RedisClient) -> None:
    store = mixed(ledger, link, per_person={"messages": 1, "days": 7})
    OptOut(link, "default").add("919999900006")
    assert control.retry(link, "default", CID, failed=True, unknown=True) == 6
    send_all(ledger, CampaignFeeder())
    found = {
        outcome.index: (outcome.recipient_state.state, outcome.recipient_state.reason)
        for outcome in store.outcomes()
    }
    assert found[4] == found[5] == found[7] == ("accepted", ""), "it was not delivered, so it does not count"
    assert found[6] == ("skipped", "opted_out")
    assert found[8] == found[9] == ("skipped", "frequency_cap"), "it may have been delivered"
    adds_up(store)


def test_a_receipt_of_the_first_round_spares_who_waits_for_the_second(
    ledger: WorkLedger, link: RedisClient
) -> None:
    store = mixed(ledger, link)
    control.retry(link, "default", CID, failed=True, unknown=True)
    now = int(time.time() * 1000)
    assert apply_receipt(ledger, f"{CID}.0.8", "sent", at_ms=now) == ("settled", "new")
    assert apply_receipt(ledger, f"{CID}.0.4", "sent", at_ms=now) == ("known", "old")
    assert apply_receipt(ledger, f"{CID}.0.5", "delivered", at_ms=now) == ("settled", "new")
    assert apply_receipt(ledger, f"{CID}.0.5", "failed", at_ms=now) == ("known", "old")
    sent = send_all(ledger, CampaignFeeder())
    assert set(sent) == {f"{CID}.1.{index}" for index in (4, 6, 7, 9)}
    assert apply_receipt(ledger, f"{CID}.0.9", "delivered", at_ms=now) == ("known", "old")
    marked = {outcome.index for outcome in store.outcomes() if outcome.recipient_state.ambiguous}
    assert marked == {9}, "both rounds reached this person"
    adds_up(store)


def test_a_cancelled_round_keeps_whose_it_was_and_when(ledger: WorkLedger, link: RedisClient) -> None:
    store = mixed(ledger, link)
    control.retry(link, "default", CID, failed=True)
    before = {outcome.index: outcome.recipient_state for outcome in store.outcomes()}
    assert {index for index, slot in before.items() if slot.state == "planned"} == {4, 5, 6, 7}
    control.cancel(link, "default", CID)
    for outcome in store.outcomes():
        was, state = before[outcome.index], outcome.recipient_state
        if was.state == "planned":
            assert (state.state, state.reason, state.round, state.provider_id) == (
                "cancelled",
                "",
                1,
                was.provider_id,
            )
            assert abs(state.at - time.time()) < 600
        else:
            assert state == was
    adds_up(store)


def test_a_retry_says_whom_and_refuses_what_has_ended(ledger: WorkLedger, link: RedisClient) -> None:
    mixed(ledger, link)
    with pytest.raises(CampaignError, match="say whom"):
        control.retry(link, "default", CID)
    control.create(link, definition(), people(2), campaign="c00000002")
    with pytest.raises(CampaignError, match="planned"):
        control.retry(link, "default", "c00000002", failed=True)


def test_progress_adds_up_and_is_json(ledger: WorkLedger, link: RedisClient) -> None:
    store = mixed(ledger, link)
    found = control.progress(link, "default", CID)
    assert found.counts == adds_up(store)
    assert sum(count for name, count in found.counts.items() if "|" not in name) == found.recipients == 10
    assert (found.status, found.left, found.finish) == ("done", 0, None)
    assert json.loads(json.dumps(found.as_json()))["counts"]["failed|not_on_whatsapp"] == 2
    with pytest.raises(NoSuchCampaign):
        control.progress(link, "default", "cffffffff")


def test_progress_tells_the_pace_and_the_finish(ledger: WorkLedger, link: RedisClient) -> None:
    store = begin(link, 3000)
    feeder = CampaignFeeder()
    feeder.round(ledger)
    time.sleep(1.1)
    for work in take(ledger, 100)[:100]:
        ledger.step(work, DONE)
    found = control.progress(link, "default", CID)
    assert found.finish is not None
    assert 100 < found.per_minute <= 60 * 3000
    assert store.status() == "running"


def test_the_export_has_one_line_per_recipient(ledger: WorkLedger, link: RedisClient) -> None:
    store = mixed(ledger, link)
    rows = list(control.export(link, "default", CID))
    assert [row["index"] for row in rows] == list(range(10))
    assert Counter(row["state"] for row in rows) == states(store)
    assert rows[2]["phone"] == "+919999900002"
    assert rows[2]["line"] == 3
    assert rows[2]["delivered"].endswith("+00:00")
    assert (rows[4]["reason"], rows[4]["read"]) == ("not_on_whatsapp", "")
    assert rows[4]["failed"]
    json.dumps(rows)


def test_a_retry_for_nobody_uses_up_no_round(link: RedisClient, ledger: WorkLedger) -> None:
    begin(link, 3)
    assert control.retry(link, "default", CID, failed=True, unknown=True) == 0
    assert control.progress(link, "default", CID).round == 0
