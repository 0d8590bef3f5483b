"""A STOP holds for the person: by number, by WhatsApp's id, and when neither is known it is kept for a human."""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from config.settings import load
from interakt_jobs.recipient import recipient_hash
from schemas.event import Event
from worker.campaigns.recipients.optout import OptOut
from worker.ledger import status
from worker.ledger.work_ledger import WorkLedger
from worker.webhooks.handler import Meaning

USER_ID = "IN.13491208655302741918"
NUMBER = "919999999990"
Hear = Callable[..., None]
_ids = itertools.count()


@pytest.fixture
def hear(ledger: WorkLedger) -> Hear:
    handler = Meaning({"default": ledger}, load({"INTERAKT_API_KEY": "placeholder-key-0000"}))

    def one(text: str = "", kind: Any = "inbound", **facts: Any) -> None:
        handler(
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
    handler = Meaning({"default": ledger}, load({"INTERAKT_API_KEY": "placeholder-key-0000"}))
    stop = Event("inbound", provider_id="same", content="text", text="STOP", phone=NUMBER)
    handler("default", stop, 1_000)
    optout(ledger).remove(NUMBER)
    handler("default", stop, 1_000)
    assert not optout(ledger).has(NUMBER)


def test_an_id_without_a_number_is_kept_for_the_application(hear: Hear, ledger: WorkLedger) -> None:
    hear("Hello", user_id=USER_ID)
    (key,) = ledger.link.command("KEYS", f"{ledger.prefix}in:*")
    kept = json.loads(ledger.link.command("GET", key))
    assert (kept["phone"], kept["user_id"]) == ("", USER_ID)
