"""What webhooks come to, from the provider's side to the caller's: receipts, people who write, RCS, the 24-hour window."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator

import pytest
from redis import Redis

import interakt_jobs
from interakt_jobs import Job, JobDead, send_rcs_text, send_template, send_text
from interakt_jobs.inbound import Inbound
from interakt_jobs.ledger.keys import POISON, prefix
from sandbox.stack import Stack
from tests.waiting import until

from .conftest import QUICK

PHONE = "9999912345"
TEXT = {"countryCode": "+91", "phoneNumber": PHONE, "data": {"message": "Hello-from-a-secret-text"}}
TEMPLATE = {
    "countryCode": "+91",
    "phoneNumber": PHONE,
    "type": "Template",
    "template": {"name": "welcome_message", "languageCode": "en", "bodyValues": ["John"]},
}
WEBHOOK, RCS = "sandbox-webhook-secret", "rcs-path-secret"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    env = {
        **QUICK,
        "INTERAKT_CALLS_PER_MINUTE": "60000",
        "INTERAKT_HOLD_SECONDS": "60",
        "INTERAKT_NEVER_HOLD_SECONDS": "600",
        "INTERAKT_RCS_PATH_SECRET": RCS,
        "INTERAKT_ON_INBOUND": "shop.someone_wrote",
        "INTERAKT_ON_INBOUND_QUEUE": "shop",
        "INTERAKT_SESSION_WINDOW_GUARD": "on",
    }
    running = Stack(calls_per_minute=0, env=env)
    with running:
        running.extra["INTERAKT_ON_DONE_BROKER_URL"] = running.valkey.url.replace("/0", "/1")
        running.web()
        running.worker()
        running.bulk()
        running.wait_for_workers(2)
        hook(running)
        yield running


def hook(stack: Stack, **options: object) -> None:
    rcs = f"{stack.webhook_url}/default/rcs/{RCS}"
    stack.sandbox.webhooks(
        **{"url": stack.webhook_url, "secret": WEBHOOK, "rcs_url": rcs, "delay_ms": 30, **options}
    )


def told(stack: Stack) -> list[str]:
    """The ids that the application's own queue was told, in order; they are taken out."""
    with Redis.from_url(stack.valkey.url.replace("/0", "/1")) as broker:
        found = []
        while raw := broker.rpop("shop"):
            found.append(json.loads(raw))
    return [str(message["headers"]["argsrepr"]).strip("(',)") for message in found]


def write(stack: Stack, **message: object) -> Inbound:
    """Somebody writes; the message as the application reads it."""
    stack.sandbox.inbound(phone=f"+91{PHONE}", **message)
    (identity,) = until(lambda: told(stack))
    return interakt_jobs.inbound(identity)


def test_a_job_knows_how_far_its_message_came(stack: Stack) -> None:
    write(stack, text="Hello")
    job = send_text.delay(TEXT)
    job.get(timeout=60)
    until(lambda: job.read().delivery.startswith("4.read"))
    assert job.get()["delivery"]["kind"] == "read"


def test_a_failed_delivery_says_its_code(stack: Stack) -> None:
    hook(stack, share_fail=1, fail_code="131049")
    job = send_template.delay(TEMPLATE)
    until(lambda: ".131049" in job.read().delivery)
    assert job.status == "SUCCESS", "Interakt took it: what failed is its delivery"
    hook(stack)


@pytest.mark.parametrize("options", [{"repeat": "never"}, {"lane": "bulk"}, {}])
def test_a_job_whose_answer_was_lost_is_told_once_when_its_receipt_has_come(
    stack: Stack, options: dict[str, str]
) -> None:
    hook(stack, delay_ms=3000)
    with Redis.from_url(stack.valkey.url) as redis:
        redis.hdel(f"{prefix('default')}state", "receipts_at")  # no receipt was ever seen
    stack.sandbox.faults(accept_lose_answer=1.0, times=1)
    job = send_template.delay(TEMPLATE, on_done="shop.told", on_done_queue="ends", **options)
    assert job.get(timeout=60)["message"] == "settled by a receipt"
    with Redis.from_url(stack.valkey.url.replace("/0", "/1")) as broker:
        first = json.loads(until(lambda: broker.rpop("ends")))
        hook(stack)
        until(lambda: job.read().delivery.startswith("4.read"))
        assert broker.rpop("ends") is None
    assert "'event': 'ended', 'state': 'done'" in first["headers"]["kwargsrepr"]
    assert stack.sandbox.jobs()[job.id] == (1, 1)


def test_people_who_write_are_read_by_the_id_that_was_told(stack: Stack) -> None:
    found = write(stack, text="When do you open?")
    assert (found.content, found.text, found.phone, found.account) == (
        "text", "When do you open?", f"91{PHONE}", "default",
    )  # fmt: skip
    assert found.id.startswith("in1.default.") and found.at_ms > 1_700_000_000_000
    tapped = write(stack, button_reply={"id": "yes", "title": "Yes, please"})
    assert (tapped.content, tapped.button_id, tapped.button_text) == ("button_reply", "yes", "Yes, please")
    picked = write(stack, list_reply={"id": "row-2", "title": "Row 2", "description": ""})
    assert (picked.content, picked.button_id) == ("list_reply", "row-2")
    assert write(stack, media_url="https://example.com/a.jpg").media_url == "https://example.com/a.jpg"


@pytest.mark.parametrize(
    ("stop", "start"), [("STOP", "start"), (" Unsubscribe! ", "START"), ("बंद करो", "शुरू")]
)
def test_stop_keeps_bulk_away_until_start(stack: Stack, stop: str, start: str) -> None:
    write(stack, text=stop)
    with pytest.raises(JobDead, match="opted_out"):
        send_template.delay(TEMPLATE, lane="bulk").get(timeout=60)
    assert send_template.delay(TEMPLATE).get(timeout=60)["status"] < 300, "an answer to a person still goes"
    write(stack, text=start)
    assert send_template.delay(TEMPLATE, lane="bulk").get(timeout=60)["status"] < 300


def test_who_hides_the_number_is_opted_out_by_the_id_that_came_with_it_before(stack: Stack) -> None:
    own = {"user_id": "IN.13491208655302741918"}
    assert (write(stack, text="Hello", **own).phone, own["user_id"]) == (f"91{PHONE}", own["user_id"])
    hidden = write(stack, text="Stop, please", hides_phone=True, **own)
    assert (hidden.phone, hidden.user_id) == ("", own["user_id"])
    with pytest.raises(JobDead, match="opted_out"):
        send_template.delay(TEMPLATE, lane="bulk").get(timeout=60)
    write(stack, text="START", hides_phone=True, **own)
    assert send_template.delay(TEMPLATE, lane="bulk").get(timeout=60)["status"] < 300


def test_a_cancel_button_of_the_business_opts_nobody_out(stack: Stack) -> None:
    write(stack, button_reply={"id": "booking-7", "title": "Cancel"})
    assert send_template.delay(TEMPLATE, lane="bulk").get(timeout=60)["status"] < 300


def test_an_opt_out_that_was_kept_in_whatsapps_form_still_holds(stack: Stack) -> None:
    """Releases before the forms of a number were equal kept the hash of the digits as they came."""
    mexican = {**TEMPLATE, "countryCode": "+52", "phoneNumber": "5512345678"}
    with Redis.from_url(stack.valkey.url) as redis:
        redis.sadd(f"{prefix('default')}optout", hashlib.sha256(b"5215512345678").hexdigest()[:16])
    with pytest.raises(JobDead, match="opted_out"):
        send_template.delay(mexican, lane="bulk").get(timeout=60)
    assert (
        send_template.delay({**mexican, "phoneNumber": "5512345679"}, lane="bulk").get(timeout=60)["status"]
        < 300
    )


def test_outside_the_window_a_session_message_costs_no_call(stack: Stack) -> None:
    write(stack, text="Hello")
    stranger = {**TEXT, "phoneNumber": "9999954321"}
    before = len(stack.sandbox.calls())
    with pytest.raises(JobDead, match="undeliverable_now"):
        send_text.delay(stranger).get(timeout=60)
    assert len(stack.sandbox.calls()) == before
    assert send_text.delay(TEXT).get(timeout=60)["status"] < 300
    assert send_template.delay({**TEMPLATE, "phoneNumber": "9999954321"}).get(timeout=60)["status"] < 300


def test_an_rcs_callback_finds_its_job_by_interakts_id(stack: Stack) -> None:
    payload = {"countryCode": "+91", "phoneNumber": PHONE, "type": "Text", "message": {"plainText": "Hello"}}
    job = send_rcs_text.delay(payload)
    job.get(timeout=60)
    until(lambda: job.read().delivery.startswith("4.read"))


def test_a_template_paused_by_meta_waits(stack: Stack) -> None:
    stack.sandbox.templates(name="diwali_offer", status="PAUSED")
    with Redis.from_url(stack.valkey.url) as redis:
        until(lambda: redis.hget(f"{prefix('default')}groups", "diwali_offer:en"))
        job: Job = send_template.delay(
            {**TEMPLATE, "template": {**TEMPLATE["template"], "name": "diwali_offer"}}
        )  # type: ignore[dict-item]
        time.sleep(1)
        assert not job.ready()
        stack.sandbox.templates(name="diwali_offer", status="APPROVED")
        until(lambda: not redis.hget(f"{prefix('default')}groups", "diwali_offer:en"))
    assert job.get(timeout=60)["status"] < 300


def test_no_log_and_no_figure_names_a_person(stack: Stack) -> None:
    import urllib.request

    whole = "".join((stack.logs / f"{name}.log").read_text() for name in ("web", "worker", "bulk"))
    with urllib.request.urlopen(f"http://127.0.0.1:{stack.web_port}/metrics", timeout=60) as answer:
        figures = answer.read().decode()
    with Redis.from_url(stack.valkey.url) as redis:
        messages = str(redis.xrange(POISON))
    for private in (PHONE, "9999954321", "secret-text", "When do you open", stack.sandbox.key):
        assert private not in whole and private not in figures and private not in messages
    assert '"action": "opted_out"' in whole and "interakt_" in figures
