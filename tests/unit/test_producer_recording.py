"""Recording: what users' own tests rely on, without Redis."""

from __future__ import annotations

import pytest
from celery.exceptions import TimeoutError as CeleryTimeoutError

import interakt_jobs
from interakt_jobs import (
    IdempotencyConflict,
    Job,
    JobCancelled,
    JobDead,
    NoSuchJob,
    PayloadError,
    send_auth_template,
    send_text,
    settings,
)
from interakt_jobs.testing import Outbox, recording

TEXT = {"countryCode": "+91", "phoneNumber": "9999999999", "data": {"message": "Hello"}}


def test_a_job_is_recorded_with_all_that_was_said(interakt_outbox: Outbox) -> None:
    job = send_text.delay(TEXT, account="brand_b", lane="urgent", countdown=5, on_done="shop.told")
    (sent,) = interakt_outbox
    assert (sent.operation, sent.payload, sent.account, sent.lane) == ("send_text", TEXT, "brand_b", "urgent")
    assert (sent.not_before, sent.options, sent.job) == ("+5000", {"on_done": "shop.told"}, job)
    assert interakt_outbox.of("send_text") == [sent] and interakt_outbox.of("send_image") == []
    assert job.status == "PENDING" and job.read().state == "waiting"
    interakt_outbox.clear()
    assert len(interakt_outbox) == 0


def test_what_is_wrong_is_refused_as_always(interakt_outbox: Outbox) -> None:
    with pytest.raises(PayloadError, match="phoneNumbr"):
        send_text.delay({**TEXT, "phoneNumbr": "9999999999"})
    with pytest.raises(TypeError, match="link"):
        send_text.apply_async((TEXT,), link=print)
    assert len(interakt_outbox) == 0


def test_a_job_comes_to_what_the_test_says(interakt_outbox: Outbox) -> None:
    fine, bad, gone = (send_text.delay(TEXT) for _ in range(3))
    with pytest.raises(CeleryTimeoutError, match="recorded, not sent"):
        fine.get(timeout=30)
    interakt_outbox.finish(fine, id="m1", delivery="failed", code="131026")
    interakt_outbox.fail(bad, "rejected", "no such person")
    gone.revoke()
    answer = fine.get(timeout=30)
    assert answer["id"] == "m1" and answer["delivery"].items() >= {"kind": "failed", "code": "131026"}.items()
    assert Job(fine.id).status == "SUCCESS"
    with pytest.raises(JobDead, match="no such person"):
        bad.get()
    with pytest.raises(JobCancelled):
        gone.get()
    with pytest.raises(NoSuchJob):
        Job("ij1.default.0").status  # noqa: B018  asking is the test


def test_a_key_gives_back_the_first_job_or_a_conflict(interakt_outbox: Outbox) -> None:
    first = send_text.delay(TEXT, idempotency_key="order-1")
    assert send_text.delay(TEXT, idempotency_key="order-1").id == first.id
    with pytest.raises(IdempotencyConflict):
        send_text.delay({**TEXT, "data": {"message": "other"}}, idempotency_key="order-1")
    assert len(interakt_outbox) == 1


def test_many_are_recorded_in_order_with_their_errors(interakt_outbox: Outbox) -> None:
    items = [({**TEXT, "callbackData": str(number)}, f"k{number}") for number in range(250)]
    items[3] = ({"phone": "x"}, "k3")
    found = list(send_text.delay_many(items))
    assert [one.position for one in found] == list(range(250))
    assert [one.position for one in found if one.error] == [3]
    assert len(interakt_outbox) == 249
    again = list(send_text.delay_many(items))
    assert not any(one.new for one in again) and len(interakt_outbox) == 249
    assert [one.job for one in again] == [one.job for one in found]


def test_tasks_are_recorded_too_and_checked_by_marshmallow() -> None:
    import schemas
    import tasks

    with recording() as outbox:
        tasks.send_text.delay(TEXT)
        with pytest.raises(schemas.Invalid, match="phoneNumber"):
            tasks.send_text.delay({**TEXT, "phoneNumber": "12"})
    assert [sent.operation for sent in outbox] == ["send_text"]


def test_recording_ends_with_its_block() -> None:
    with recording() as outer:
        with recording() as inner:
            send_text.delay(TEXT)
        send_text.delay(TEXT)
        assert (len(outer), len(inner)) == (1, 1)
    assert settings.make_ledger is None


def test_an_otp_keeps_its_expiry(interakt_outbox: Outbox) -> None:
    template = {
        "name": "otp",
        "languageCode": "en",
        "bodyValues": ["123456"],
        "buttonValues": {"0": ["123456"]},
    }
    interakt_jobs.send_auth_template.delay(
        {"countryCode": "+91", "phoneNumber": "9999999999", "template": template}
    )
    assert interakt_outbox[0].lane == "urgent" and interakt_outbox[0].expires == "+300000"
    assert send_auth_template.name == "send_auth_template"


def test_a_recorded_job_waits_for_nothing_but_its_end(interakt_outbox: Outbox) -> None:
    job = send_text.delay(TEXT)
    waiting = job.waits_for()
    assert waiting and waiting.why == "it is recorded, not sent"
    interakt_outbox.finish(job)
    assert job.waits_for() is None
