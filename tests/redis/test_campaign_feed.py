"""Feeding: planned to enqueued and the job in one call; nobody twice, nobody against the rules."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from interakt_jobs.ledger.keys import prefix
from interakt_jobs.ledger.record import Record
from interakt_jobs.ledger.redis_client import RedisClient
from interakt_jobs.recipient import recipient_hash
from worker.campaigns.definition.definition import Definition, read
from worker.campaigns.recipients.optout import OptOut
from worker.campaigns.recipients.sources import Dicts
from worker.campaigns.running import control
from worker.campaigns.running.campaign_feeder import CampaignFeeder
from worker.campaigns.running.running_campaign import RunningCampaign
from worker.campaigns.store.store import CampaignStore
from worker.ledger import accounts as account_module
from worker.ledger.work_ledger import Work, WorkLedger

from .clock import Clock, pause

CID = "c00000001"
DONE = ("done", "m1", 200, "", 60, "0", "")


def definition(**other: Any) -> Definition:
    template = {"name": "diwali_offer", "language": "en", "body": ["{name}"]}
    return read({"name": "Diwali", "template": template, **other})


def people(count: int, start: int = 0) -> Dicts:
    return Dicts({"phone": f"+9199999{at:05d}", "name": f"N{at}"} for at in range(start, start + count))


def begin(
    link: RedisClient, count: int, *, campaign: str = CID, registered: bool = True, **other: Any
) -> CampaignStore:
    """A running campaign of ``count`` people, registered at Interakt already."""
    control.create(link, definition(**other), people(count), campaign=campaign)
    control.start(link, "default", campaign)
    store = CampaignStore(link, "default", campaign)
    if registered:
        link.command("HSET", store.key("meta"), "interakt_id", "ic-1")
    return store


def take(ledger: WorkLedger, most: int = 1000) -> list[Work]:
    """Release, claim and start what there is; those that may go."""
    found = []
    while len(found) < most:
        released = ledger.release("dispatcher", {"urgent": 0, "normal": 0, "bulk": most})
        job_keys = [job_key for lane in released.job_keys.values() for job_key in lane]
        if not job_keys:
            break
        for work in ledger.claim("worker", job_keys):
            while (verdict := ledger.start(work.job_key, work.fence)).word == "wait":
                pause(ledger.link, verdict.millis / 1000)
            if verdict.word == "go":
                found.append(work)
    return found


def send_all(ledger: WorkLedger, feeder: CampaignFeeder) -> dict[str, int]:
    """Run until nothing comes any more; how often each job was sent."""
    sent: dict[str, int] = {}
    while True:
        enqueued = feeder.round(ledger)
        works = take(ledger)
        for work in works:
            sent[work.job_key] = sent.get(work.job_key, 0) + 1
            ledger.step(work, DONE)
        if not works and not enqueued:
            return sent


def adds_up(store: CampaignStore) -> dict[str, int]:
    """The counts, after it is certain that they are those of the slots."""
    counted: dict[str, int] = {}
    planned: dict[int, int] = {}
    for outcome in store.outcomes():
        state = outcome.recipient_state.state
        counted[state] = counted.get(state, 0) + 1
        if outcome.recipient_state.reason:
            name = f"{state}|{outcome.recipient_state.reason}"
            counted[name] = counted.get(name, 0) + 1
        if state == "planned":
            planned[outcome.index // 1000] = planned.get(outcome.index // 1000, 0) + 1
    assert store.counts() == counted
    assert store.left() == planned
    assert store.enqueued() == counted.get("enqueued", 0)
    return counted


def test_everybody_is_fed_once_and_ends_in_the_slot_with_no_record_left(
    ledger: WorkLedger, link: RedisClient
) -> None:
    store = begin(link, 1234)
    sent = send_all(ledger, CampaignFeeder())
    assert len(sent) == 1234
    assert set(sent.values()) == {1}
    assert adds_up(store) == {"accepted": 1234}
    assert store.status() == "done"
    left = {key.decode() for key in link.command("KEYS", f"{prefix('default')}*")}
    assert not {
        key for key in left if key.split(":")[3] in ("j", "d", "log", "early", "ready", "run", "rel", "fl")
    }
    assert not link.command(
        "EXISTS",
        f"{prefix('default')}campaigns_on",
        f"{prefix('default')}tries",
        f"{prefix('default')}possibly_sent",
    )


def test_what_is_sent_is_the_template_with_the_persons_values(ledger: WorkLedger, link: RedisClient) -> None:
    begin(link, 1)
    CampaignFeeder().round(ledger)
    (work,) = take(ledger)
    record = Record.parse(work.record)
    assert (work.job_key, record.operation, record.flags) == (f"{CID}.0.0", "send_template", "cr")
    assert (record.lane, record.repeat, record.max_attempts) == ("bulk", "never", 5)
    assert (record.recipient, record.group) == (recipient_hash("919999900000"), "diwali_offer:en")
    assert record.options == ""
    assert json.loads(record.payload) == {
        "countryCode": "+91",
        "phoneNumber": "9999900000",
        "type": "Template",
        "template": {"name": "diwali_offer", "languageCode": "en", "bodyValues": ["N0"]},
        "campaignId": "ic-1",
    }


def test_a_minute_of_budget_is_in_flight_and_no_more(ledger: WorkLedger, link: RedisClient) -> None:
    account_module.set_rate(ledger, 300, 60)
    store = begin(link, 1000)
    feeder = CampaignFeeder()
    for _ in range(3):
        feeder.round(ledger)
    assert (store.enqueued(), store.counts()) == (300, {"planned": 700, "enqueued": 300})


def test_two_campaigns_share_the_minute(ledger: WorkLedger, link: RedisClient) -> None:
    account_module.set_rate(ledger, 300, 60)
    stores = [begin(link, 500, campaign=campaign) for campaign in ("c00000001", "c00000002")]
    CampaignFeeder().round(ledger)
    assert [store.enqueued() for store in stores] == [150, 150]


def test_a_feed_that_is_repeated_or_raced_feeds_nobody_twice(ledger: WorkLedger, link: RedisClient) -> None:
    store = begin(link, 900)
    campaigns = [RunningCampaign(store) for _ in range(4)]
    threads = [threading.Thread(target=running.enqueue, args=(900, float("inf"))) for running in campaigns]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert adds_up(store) == {"enqueued": 900}
    assert int(link.command("ZCARD", f"{prefix('default')}ready:bulk")) == 900
    works = take(ledger)
    assert RunningCampaign(store).enqueue(900, float("inf")) == 0
    for work in works:
        ledger.step(work, DONE)
    assert RunningCampaign(store).enqueue(900, float("inf")) == 0
    assert adds_up(store) == {"accepted": 900}


def test_who_opted_out_since_is_skipped_when_fed_and_when_started(
    ledger: WorkLedger, link: RedisClient
) -> None:
    store = begin(link, 3)
    OptOut(link, "default").add("919999900001")
    CampaignFeeder().round(ledger)
    OptOut(link, "default").add("919999900002")
    assert [work.job_key for work in take(ledger)] == [f"{CID}.0.0"]
    assert adds_up(store) == {"enqueued": 1, "skipped": 2, "skipped|opted_out": 2}


def test_the_frequency_cap_skips_and_is_given_back_by_what_was_never_sent(
    ledger: WorkLedger, link: RedisClient
) -> None:
    rules = {"rules": {"per_person": {"messages": 1, "days": 7}}}
    first = begin(link, 2, **rules)
    CampaignFeeder().round(ledger)
    one, two = take(ledger)
    ledger.step(one, DONE)
    ledger.step(two, ("dead", "rejected", "no", 400, ""))
    second = begin(link, 2, campaign="c00000002", **rules)
    CampaignFeeder().round(ledger)
    assert adds_up(first) == {"accepted": 1, "dead": 1, "dead|rejected": 1}
    assert adds_up(second) == {"enqueued": 1, "skipped": 1, "skipped|frequency_cap": 1}
    control.pause(link, "default", "c00000002")
    third = begin(link, 2, campaign="c00000003", **rules)
    CampaignFeeder().round(ledger)
    assert adds_up(third) == {"enqueued": 1, "skipped": 1, "skipped|frequency_cap": 1}


def closed_window() -> str:
    hour = datetime.now(UTC) + timedelta(hours=5, minutes=30) + timedelta(hours=6)
    return f"{hour.hour:02d}:00-{(hour.hour + 1) % 24:02d}:30"


def test_nobody_is_fed_while_their_window_is_closed(ledger: WorkLedger, link: RedisClient) -> None:
    store = begin(link, 3, rules={"window": closed_window()})
    assert CampaignFeeder().round(ledger) == 0
    assert adds_up(store) == {"planned": 3}
    assert control.progress(link, "default", CID).why.startswith("its windows are closed until 20")


def test_a_job_whose_window_has_closed_meanwhile_goes_back_to_the_plan(
    ledger: WorkLedger, link: RedisClient, clock: Clock
) -> None:
    store = begin(link, 3)
    running = RunningCampaign(store)
    closes = clock.now + 60
    store.run("enqueue", *running._arguments(0, [0, 1, 2], closes))
    assert store.enqueued() == 3
    clock.advance(61)
    assert take(ledger) == []
    assert adds_up(store) == {"planned": 3}
    assert len(send_all(ledger, CampaignFeeder())) == 3


def test_nothing_is_sent_before_the_start_and_after_the_end_the_rest_is_skipped(
    ledger: WorkLedger, link: RedisClient
) -> None:
    now = datetime.now(UTC)
    later = begin(link, 2, schedule={"start": (now + timedelta(hours=1)).isoformat()})
    over = begin(link, 2, campaign="c00000002", schedule={"end": (now - timedelta(seconds=1)).isoformat()})
    feeder = CampaignFeeder()
    feeder.round(ledger)
    feeder.round(ledger)
    assert adds_up(later) == {"planned": 2}
    assert control.progress(link, "default", CID).why.startswith("starts at")
    assert adds_up(over) == {"skipped": 2, "skipped|after_end": 2}
    assert over.status() == "done"


def test_a_job_that_is_not_sent_before_the_end_is_skipped(
    ledger: WorkLedger, link: RedisClient, clock: Clock
) -> None:
    end = datetime.now(UTC) + timedelta(seconds=60)
    store = begin(link, 2, schedule={"end": end.isoformat()})
    CampaignFeeder().round(ledger)
    assert store.enqueued() == 2
    clock.advance(61)
    ledger.reap(most=100, retry_ms=1)
    assert adds_up(store) == {"skipped": 2, "skipped|after_end": 2}


def test_it_is_registered_at_interakt_once_before_the_first_message(
    ledger: WorkLedger, link: RedisClient
) -> None:
    store = begin(link, 2, registered=False)
    feeder = CampaignFeeder()
    for _ in range(3):
        assert feeder.round(ledger) == 0
    released = ledger.release("dispatcher", {"urgent": 0, "normal": 9, "bulk": 9})
    (job_key,) = released.job_keys["normal"]
    (work,) = ledger.claim("worker", [job_key])
    ledger.start(work.job_key, work.fence)
    assert json.loads(work.record.split("\n", 2)[2]) == {
        "campaign_name": f"Diwali {CID}",
        "campaign_type": "PublicAPI",
        "template_name": "diwali_offer",
        "language_code": "en",
    }
    ledger.step(work, ("done", "ic-7", 201, "", 60, "0", '{"campaignId":"ic-7"}'))
    assert feeder.round(ledger) == 2
    assert store.meta()["interakt_id"] == "ic-7"
    assert all('"campaignId":"ic-7"' in work.record for work in take(ledger))


def test_a_registration_that_is_refused_pauses_and_is_tried_again_when_resumed(
    ledger: WorkLedger, link: RedisClient
) -> None:
    begin(link, 2, registered=False)
    feeder = CampaignFeeder()
    feeder.round(ledger)
    for turn in range(2):
        (job_key,) = ledger.release("dispatcher", {"urgent": 0, "normal": 9, "bulk": 9}).job_keys["normal"]
        (work,) = ledger.claim("worker", [job_key])
        ledger.start(work.job_key, work.fence)
        ledger.step(work, ("dead", "rejected", "this plan has no campaigns", 400, ""))
        feeder.round(ledger)
        found = control.progress(link, "default", CID)
        assert (found.status, found.why) == (
            "paused",
            "not registered at Interakt: this plan has no campaigns",
        )
        assert job_key.endswith(f"-{turn}")
        control.resume(link, "default", CID)
        feeder.round(ledger)


@pytest.mark.parametrize("reason", ["", "rejected"])
def test_it_stops_itself_when_too_many_fail_and_says_so(
    ledger: WorkLedger, link: RedisClient, reason: str
) -> None:
    stop = {"share": 0.5, "count": 3, **({"reason": reason} if reason else {})}
    store = begin(link, 10, rules={"stop_when": [stop]})
    feeder = CampaignFeeder()
    feeder.round(ledger)
    for at, work in enumerate(take(ledger, 5)[:5]):
        ledger.step(work, ("dead", "rejected", "no", 400, "") if at < 3 else DONE)
    feeder.round(ledger)
    found = control.progress(link, "default", CID)
    assert found.status == "paused"
    assert found.why.startswith("3 of 5 failed")
    control.resume(link, "default", CID)
    feeder.round(ledger)
    assert store.status() == "running", "what failed before does not stop it again"


def test_it_stops_itself_when_its_template_or_its_account_is_paused(
    ledger: WorkLedger, link: RedisClient
) -> None:
    store, feeder = begin(link, 3), CampaignFeeder()
    feeder.round(ledger)
    account_module.pause_template(ledger, "diwali_offer:en", 60, "paused by Meta")
    feeder.round(ledger)
    assert (store.status(), store.meta()["why"]) == ("paused", "the template is paused: paused by Meta")
    assert adds_up(store) == {"planned": 3}
    account_module.resume_template(ledger, "diwali_offer:en")
    control.resume(link, "default", CID)
    assert feeder.round(ledger) == 3
    account_module.pause(ledger, 60, "the wallet is empty")
    feeder.round(ledger)
    assert (store.status(), store.meta()["why"]) == ("paused", "the account is paused: the wallet is empty")
    assert adds_up(store) == {"planned": 3}


def test_a_throttled_account_is_no_reason_to_stop(ledger: WorkLedger, link: RedisClient) -> None:
    store = begin(link, 3)
    until = int(link.command("TIME")[0]) * 1000 + 60_000
    link.command("HSET", f"{prefix('default')}state", "paused_until", until, "why", "throttled: HTTP 429")
    CampaignFeeder().round(ledger)
    assert store.status() == "running"


@pytest.mark.parametrize(
    ("outcome", "why"),
    [
        (
            ("template", "No approved template found", ""),
            "the template is paused: No approved template found",
        ),
        (("account", "account: the key was not accepted", ""), "the account is paused: account: the key"),
    ],
)
def test_what_interakt_refuses_for_all_stops_the_campaign_and_costs_nobody(
    ledger: WorkLedger, link: RedisClient, outcome: tuple[str, ...], why: str
) -> None:
    store, feeder = begin(link, 5), CampaignFeeder()
    feeder.round(ledger)
    first, *others = take(ledger)
    ledger.step(first, outcome)
    feeder.round(ledger)
    assert store.status() == "paused"
    assert store.meta()["why"].startswith(why)
    for work in others:
        ledger.step(work, ("unsent",))
    feeder.round(ledger)
    assert adds_up(store) == {"planned": 5}
    account_module.resume(ledger)
    account_module.resume_template(ledger, "diwali_offer:en")
    control.resume(link, "default", CID)
    assert set(send_all(ledger, feeder).values()) == {1}
    assert adds_up(store) == {"accepted": 5}
