"""What /metrics shows: the ledger's counters, bounded labels, no phone number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from interakt_jobs.ledger.keys import POISON, prefix
from interakt_jobs.ledger.redis_client import RedisClient
from sandbox.valkey import free_port
from tests.observed import observed
from worker.ledger.work_ledger import WorkLedger
from worker.schedules.store import INDEX, PREFIX, Schedules
from worker.web.metrics import Metrics
from worker.webhooks.receipts import apply_receipt
from worker.webhooks.spool import Spool

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = Spool(tmp_path)
    yield made
    made.close()


def scrape(url: str, spool: Spool) -> Series:
    text = Metrics(url, spool).text().decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(found: Series, name: str, **labels: str) -> float | None:
    return found.get((name, frozenset({"account": "default", **labels}.items())))


def test_a_jobs_way_is_counted(
    redis_url: str, spool: Spool, ledger: WorkLedger, accept: Callable[..., str]
) -> None:
    accept(repeat="always")
    accept(lane="bulk")
    released = ledger.release("dispatcher", {"normal": 5})
    (work,) = ledger.claim("worker", released.job_keys["normal"])
    assert ledger.start(work.job_key, work.fence).word == "go"
    ledger.step(work, ("done", "id", "200", "ok", 60, "0", ""))
    apply_receipt(ledger, work.job_key, "delivered", at_ms=1)
    found = scrape(redis_url, spool)
    assert value(found, "interakt_enqueued_total", operation="send_text", lane="normal") == 1
    assert value(found, "interakt_attempts_total", operation="send_text") == 1
    accepted = {"operation": "send_text", "lane": "normal", "outcome": "accepted"}
    assert value(found, "interakt_outcomes_total", **accepted) == 1
    assert value(found, "interakt_receipts_total", kind="delivered") == 1
    assert value(found, "interakt_jobs", lane="bulk", state="ready") == 1
    assert value(found, "interakt_budget_calls") == 60000
    assert value(found, "interakt_budget_used") == 1
    assert found["interakt_redis_up", frozenset()] == 1


def test_durations_become_histograms_in_seconds(redis_url: str, spool: Spool, ledger: WorkLedger) -> None:
    for milliseconds in (10, 700, 10**9):
        for field, number in observed("wait", "urgent", milliseconds):
            ledger.link.command("HINCRBY", f"{prefix('default')}count", field, number)
    found = scrape(redis_url, spool)
    assert value(found, "interakt_wait_seconds_bucket", lane="urgent", le="0.05") == 1
    assert value(found, "interakt_wait_seconds_bucket", lane="urgent", le="1.0") == 2
    assert value(found, "interakt_wait_seconds_bucket", lane="urgent", le="+Inf") == 3
    assert value(found, "interakt_wait_seconds_count", lane="urgent") == 3
    assert value(found, "interakt_wait_seconds_sum", lane="urgent") == pytest.approx(1000000.71)


def test_what_comes_from_outside_makes_no_new_series(
    redis_url: str, spool: Spool, ledger: WorkLedger
) -> None:
    before = len(scrape(redis_url, spool))
    for number in range(100):
        phone = f"9199999{number:05d}"
        for field in (
            f"delivery_failed|{phone}",
            f"receipt|{phone}",
            f"webhook|{phone}",
            f"enqueued|{phone}|x",
        ):
            ledger.link.command("HINCRBY", f"{prefix('default')}count", field, 1)
    found = scrape(redis_url, spool)
    assert value(found, "interakt_delivery_failed_total", code="other") == 100
    assert len(found) <= before + 4
    assert not any("99999" in label for _, labels in found for _, label in labels)


def test_with_redis_away_it_says_so_and_shows_its_own(spool: Spool) -> None:
    found = scrape(f"redis://127.0.0.1:{free_port()}/0", spool)
    assert found == {
        ("interakt_webhook_spool_bytes", frozenset()): 0,
        ("interakt_redis_up", frozenset()): 0,
    }


def test_a_schedule_that_nobody_looks_at_is_seen(redis_url: str, spool: Spool, link: RedisClient) -> None:
    name = ("interakt_schedules_behind_seconds", frozenset[tuple[str, str]]())
    assert scrape(redis_url, spool)[name] == 0
    now = Schedules(link).now()
    link.command("ZADD", INDEX, -1, f"{PREFIX}ended", now - 90, f"{PREFIX}due", now + 50, f"{PREFIX}later")
    assert 89 <= scrape(redis_url, spool)[name] < 600


def test_messages_that_were_not_ours_are_counted(redis_url: str, spool: Spool, link: RedisClient) -> None:
    name = ("interakt_poison_messages", frozenset[tuple[str, str]]())
    assert scrape(redis_url, spool)[name] == 0
    link.command("XADD", POISON, "*", "raw", "x")
    assert scrape(redis_url, spool)[name] == 1
