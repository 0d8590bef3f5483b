"""A STOP holds for the person: by number, by WhatsApp's id, and when neither is known it is kept for a human."""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from config.settings import load
from interakt_jobs.ledger.keys import job_id
from interakt_jobs.recipient import recipient_hash
from schemas.event import Event
from worker.campaigns.recipients.optout import OptOut
from worker.ledger import accounts, status
from worker.ledger.work_ledger import WorkLedger
from worker.webhooks.handler import WebhookHandler

USER_ID = "IN.13491208655302741918"
NUMBER = "919999999990"
Hear = Callable[..., None]
_ids = itertools.count()


@pytest.fixture
def hear(ledger: WorkLedger) -> Hear:
    handler = WebhookHandler({"default": ledger}, load({"INTERAKT_API_KEY": "placeholder-key-0000"}))

    def one(text: str = "", kind: Any = "inbound", **facts: Any) -> None:
        handler.handle(
            "default", Event(kind, provider_id=f"m{next(_ids)}", content="text", text=text, **facts), 1_000
        )

    return one


def optout(ledger: WorkLedger) -> OptOut:
    return OptOut(ledger.link, "default")


def test_a_stop_in_whatsapps_form_is_the_campaigns_person(hear: Hear, ledger: WorkLedger) -> None:
    hear("STOP", phone="5215512345678")
    hear("stop please", phone="551188887777")
    people = optout(ledger)
    assert people.check(["525512345678", "5511988887777", "525512345679"]) == [True, True, False]
    hear("START", phone="5215512345678")
    assert not people.has("525512345678")


def test_a_start_ends_what_an_earlier_release_kept(hear: Hear, ledger: WorkLedger) -> None:
    import hashlib

    key = optout(ledger).key
    ledger.link.command("SADD", key, hashlib.sha256(b"5215512345678").hexdigest()[:16])
    hear("START", phone="5215512345678")
    assert ledger.link.command("SCARD", key) == 0


def test_a_stop_by_id_holds_for_the_number_that_came_with_it_before(hear: Hear, ledger: WorkLedger) -> None:
    hear("Hello", phone=NUMBER, user_id=USER_ID)
    hear("STOP", user_id=USER_ID)
    assert optout(ledger).has(NUMBER)
    assert optout(ledger).has(USER_ID)
    assert optout(ledger).open() == {}
    assert ledger.link.command("EXISTS", f"{ledger.prefix}window:{recipient_hash(NUMBER)}") == 1
    hear("START", user_id=USER_ID)
    assert not optout(ledger).has(NUMBER)
    assert not optout(ledger).has(USER_ID)


@pytest.mark.parametrize("kind", ["inbound", "receipt"])
def test_a_stop_by_id_waits_open_until_a_webhook_tells_the_number(
    hear: Hear, ledger: WorkLedger, kind: str
) -> None:
    hear("STOP", user_id=USER_ID)
    assert optout(ledger).has(USER_ID)
    assert status.read(ledger.link, "default").optouts_open == 1
    hear("Hello", kind=kind, phone=NUMBER, user_id=USER_ID)
    assert optout(ledger).has(NUMBER)
    assert status.read(ledger.link, "default").optouts_open == 0


def test_a_stop_of_nobody_is_kept_told_and_settled_by_hand(
    hear: Hear, ledger: WorkLedger, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        hear("STOP")
    assert [record.__dict__["action"] for record in caplog.records] == ["optout_of_nobody"]
    ((name, kept),) = optout(ledger).open().items()
    assert kept["text"] == "STOP"
    assert not optout(ledger).settle("another", NUMBER)
    assert optout(ledger).settle(name, NUMBER)
    assert optout(ledger).has(NUMBER)
    assert optout(ledger).open() == {}


def test_a_message_that_is_no_stop_leaves_nothing_open(hear: Hear, ledger: WorkLedger) -> None:
    hear("Hello")
    hear("cancel my order", user_id=USER_ID)
    assert optout(ledger).open() == {}
    assert optout(ledger).count() == 0


def test_a_repeated_webhook_is_not_acted_on_again(ledger: WorkLedger) -> None:
    handler = WebhookHandler({"default": ledger}, load({"INTERAKT_API_KEY": "placeholder-key-0000"}))
    stop = Event("inbound", provider_id="same", content="text", text="STOP", phone=NUMBER)
    handler.handle("default", stop, 1_000)
    optout(ledger).remove(NUMBER)
    handler.handle("default", stop, 1_000)
    assert not optout(ledger).has(NUMBER)


DAY = 86_400_000
HEARD_AT = 1_790_000_000_000


def keyword(text: str, at_ms: int, name: str = "") -> Event:
    return Event(
        "inbound", provider_id=name or f"k{at_ms}", content="text", text=text, phone=NUMBER, at_ms=at_ms
    )


@pytest.fixture
def handler(ledger: WorkLedger) -> WebhookHandler:
    broker = {"INTERAKT_ON_INBOUND": "shop.told", "INTERAKT_ON_DONE_BROKER_URL": "memory://"}
    environ = {"INTERAKT_API_KEY": "placeholder-key-0000", **broker}
    return WebhookHandler({"default": ledger}, load(environ))


def forget_messages(ledger: WorkLedger) -> None:
    """What Redis does after seven days."""
    for key in ledger.link.command("KEYS", f"{ledger.prefix}in:*"):
        ledger.link.command("DEL", key)


def test_a_start_that_is_sent_again_after_a_stop_is_not_heard(
    handler: WebhookHandler, ledger: WorkLedger
) -> None:
    start, stop = keyword("START", HEARD_AT), keyword("STOP", HEARD_AT + 1000)
    handler.handle("default", start, HEARD_AT)
    handler.handle("default", stop, HEARD_AT + 1000)
    forget_messages(ledger)
    for days in (1, 8, 400):
        handler.handle("default", start, HEARD_AT + days * DAY)
        forget_messages(ledger)
        assert optout(ledger).has(NUMBER)


@pytest.mark.parametrize("how", ["add", "import", "copy"])
def test_a_start_from_before_a_persons_hand_is_not_heard(
    handler: WebhookHandler, ledger: WorkLedger, how: str
) -> None:
    people = optout(ledger)
    if how == "add":
        people.add(NUMBER)
    elif how == "copy":
        people.add_hashes([recipient_hash(NUMBER)])
    else:
        people.add_all([NUMBER])
    now = int(ledger.link.command("TIME")[0]) * 1000
    handler.handle("default", keyword("START", now - 60_000), now)
    assert people.has(NUMBER)
    handler.handle("default", keyword("START", now + 60_000), now + 60_000)
    assert not people.has(NUMBER)


def test_a_stop_that_is_sent_again_after_a_start_is_not_heard(
    handler: WebhookHandler, ledger: WorkLedger
) -> None:
    stop, start = keyword("STOP", HEARD_AT), keyword("START", HEARD_AT + 1000)
    handler.handle("default", stop, HEARD_AT)
    handler.handle("default", start, HEARD_AT + 1000)
    forget_messages(ledger)
    handler.handle("default", stop, HEARD_AT + 30 * DAY)
    assert not optout(ledger).has(NUMBER)


def test_a_start_that_nobody_remembers_is_not_heard_when_it_is_old_and_a_stop_is(
    handler: WebhookHandler, ledger: WorkLedger
) -> None:
    ledger.link.command("SADD", optout(ledger).key, recipient_hash(NUMBER))
    handler.handle("default", keyword("START", HEARD_AT), HEARD_AT + 7 * DAY)
    assert optout(ledger).has(NUMBER)
    ledger.link.command("DEL", optout(ledger).key)
    handler.handle("default", keyword("STOP", HEARD_AT), HEARD_AT + 30 * DAY)
    assert optout(ledger).has(NUMBER), "late is better than never"


def test_an_old_message_that_is_sent_again_tells_nobody_and_opens_no_window(
    handler: WebhookHandler, ledger: WorkLedger
) -> None:
    hello = keyword("Hello", HEARD_AT)
    window = f"{ledger.prefix}window:{recipient_hash(NUMBER)}"
    handler.handle("default", hello, HEARD_AT + 20 * 3_600_000)
    assert 0 < ledger.link.command("PTTL", window) <= 4 * 3_600_000, "a day from when it was written"
    forget_messages(ledger)
    ledger.link.command("DEL", window, f"{ledger.prefix}outbox")
    handler.handle("default", hello, HEARD_AT + 8 * DAY)
    assert ledger.link.command("EXISTS", window, f"{ledger.prefix}outbox") == 0
    assert ledger.link.command("HGET", f"{ledger.prefix}count", "webhook|stale") == b"1"


def test_a_message_without_an_id_is_acted_on_once(handler: WebhookHandler, ledger: WorkLedger) -> None:
    hello = Event("inbound", content="text", text="Hello", phone=NUMBER, at_ms=HEARD_AT)
    handler.handle("default", hello, HEARD_AT)
    handler.handle("default", hello, HEARD_AT + 1000)
    assert ledger.link.command("LLEN", f"{ledger.prefix}outbox") == 1


def notice(state: str, at_ms: int) -> Event:
    return Event("template_update", template="offer", language="en", state=state, at_ms=at_ms)


def paused(ledger: WorkLedger) -> bool:
    return bool(ledger.link.command("HEXISTS", f"{ledger.prefix}groups", "offer:en"))


def test_a_notice_of_a_template_that_is_sent_again_changes_nothing(
    handler: WebhookHandler, ledger: WorkLedger
) -> None:
    now = int(ledger.link.command("TIME")[0]) * 1000
    pause, approve = notice("PAUSED", now - 5000), notice("APPROVED", now - 4000)
    handler.handle("default", pause, now)
    until = ledger.link.command("HGET", f"{ledger.prefix}groups", "offer:en")
    handler.handle("default", pause, now + 3_600_000)
    assert ledger.link.command("HGET", f"{ledger.prefix}groups", "offer:en") == until, "no longer than before"
    handler.handle("default", approve, now)
    assert not paused(ledger)
    handler.handle("default", pause, now)
    assert not paused(ledger), "it was approved since"
    accounts.pause_template(ledger, "offer:en", 3600, "by hand")
    handler.handle("default", approve, now)
    assert paused(ledger), "a person paused it since"
    accounts.resume_template(ledger, "offer:en")
    handler.handle("default", pause, now)
    assert not paused(ledger), "a person resumed it since"


def test_a_notice_that_is_days_old_is_not_acted_on(handler: WebhookHandler, ledger: WorkLedger) -> None:
    now = int(ledger.link.command("TIME")[0]) * 1000
    handler.handle("default", notice("PAUSED", now - 7 * DAY), now)
    assert not paused(ledger)


def test_an_old_receipt_does_not_say_that_receipts_come(handler: WebhookHandler, ledger: WorkLedger) -> None:
    now = int(ledger.link.command("TIME")[0]) * 1000
    for at in (now - 7_200_000, now - 60_000, now - 7_200_000):
        handler.handle(
            "default",
            Event("receipt", status="read", callback_data=job_id("default", "0" * 32), at_ms=at),
            now,
        )
    assert int(ledger.link.command("HGET", f"{ledger.prefix}state", "receipts_at")) == now - 60_000


def test_a_receipt_signed_for_one_account_says_nothing_of_a_job_of_another(
    ledger: WorkLedger, caplog: pytest.LogCaptureFixture
) -> None:
    other = WorkLedger(ledger.link, "brand_b")
    environ = {
        "INTERAKT_API_KEY": "placeholder-key-0000",
        "INTERAKT_API_KEY__BRAND_B": "placeholder-key-0001",
    }
    handler = WebhookHandler({"default": ledger, "brand_b": other}, load(environ))
    job_key = "0" * 32
    receipt = Event(
        "receipt", status="read", callback_data=job_id("brand_b", job_key), provider_id="p", at_ms=HEARD_AT
    )
    ledger.link.command("SET", f"{other.prefix}pid:p", job_key)
    with caplog.at_level(logging.WARNING):
        handler.handle("default", receipt, HEARD_AT)
    assert ledger.link.command("EXISTS", f"{other.prefix}count", f"{other.prefix}state") == 0
    assert ledger.link.command("HGET", f"{ledger.prefix}count", "receipt|of_nobody") == b"1"
    assert [record.__dict__["action"] for record in caplog.records] == ["receipt_of_another_account"]
    handler.handle("brand_b", receipt, HEARD_AT)
    assert ledger.link.command("HGET", f"{other.prefix}count", "receipt|read") == b"1"


def test_an_id_without_a_number_is_kept_for_the_application(hear: Hear, ledger: WorkLedger) -> None:
    hear("Hello", user_id=USER_ID)
    (key,) = ledger.link.command("KEYS", f"{ledger.prefix}in:*")
    kept = json.loads(ledger.link.command("GET", key))
    assert (kept["phone"], kept["user_id"]) == ("", USER_ID)
