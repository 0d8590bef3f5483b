"""``Job.get``: it wakes at the end, keeps its time, and outlives nothing that it should tell."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from celery.exceptions import TimeoutError as CeleryTimeoutError

from interakt_jobs import Job, JobCancelled, LedgerUnreachable, configure, new_id, send_text
from sandbox.valkey import Valkey
from worker.ledger.work_ledger import WorkLedger

from .test_ledger import DONE, run_to_start

TEXT = {"countryCode": "+91", "phoneNumber": "9999999999", "data": {"message": "hello"}}


def later(seconds: float, action: Callable[[], object]) -> None:
    timer = threading.Timer(seconds, action)
    timer.daemon = True
    timer.start()


def test_it_wakes_when_the_job_ends_not_when_it_looks_next(ledger: WorkLedger, redis_url: str) -> None:
    configure(redis_url)
    job = send_text.delay(TEXT)  # type: ignore[arg-type]
    work = run_to_start(ledger)
    later(0.3, lambda: ledger.step(work, DONE))
    began = time.monotonic()
    assert job.get(timeout=600, interval=600)["status"] == 201
    assert 0.2 < time.monotonic() - began < 60


def test_a_job_that_is_cancelled_meanwhile_is_told(ledger: WorkLedger, redis_url: str) -> None:
    configure(redis_url)
    job = send_text.delay(TEXT, countdown=60)  # type: ignore[arg-type]
    later(0.2, Job(job.id).revoke)
    with pytest.raises(JobCancelled):
        job.get(timeout=600, interval=600)


def test_it_keeps_its_time_and_says_where_the_job_is(ledger: WorkLedger, redis_url: str) -> None:
    configure(redis_url)
    job = send_text.delay(TEXT, countdown=60)  # type: ignore[arg-type]
    began = time.monotonic()
    with pytest.raises(CeleryTimeoutError, match="it is waiting"):
        job.get(timeout=0.3)
    assert time.monotonic() - began < 30


def test_a_redis_that_stops_meanwhile_is_a_named_error(tmp_path: Path) -> None:
    with Valkey(directory=str(tmp_path)) as server:
        configure(server.url, allow_unregistered=True)
        job = send_text.delay(TEXT)  # type: ignore[arg-type]
        later(0.3, lambda: server.signal(signal.SIGSTOP))
        began = time.monotonic()
        with pytest.raises(LedgerUnreachable):
            job.get(timeout=600)
        assert time.monotonic() - began < 60


@pytest.mark.parametrize("scheme", ["unix://", "redis+socket://"])
def test_it_waits_over_a_unix_socket_too(tmp_path: Path, scheme: str) -> None:
    with Valkey(directory=str(tmp_path), unixsocket=str(tmp_path / "s")):
        configure(f"{scheme}{tmp_path / 's'}", allow_unregistered=True)
        job = send_text.delay(TEXT)  # type: ignore[arg-type]
        later(0.2, Job(job.id).revoke)
        with pytest.raises(JobCancelled):
            job.get(timeout=600, interval=600)


def test_an_id_made_ahead_is_one_job_however_often_it_is_enqueued(ledger: WorkLedger, redis_url: str) -> None:
    configure(redis_url)
    mine = new_id()
    assert mine.startswith("ij1.default.") and new_id("brand_b").startswith("ij1.brand_b.")
    jobs = [send_text.delay(TEXT, task_id=mine) for _ in range(3)]  # type: ignore[arg-type]
    assert {job.id for job in jobs} == {mine}
    assert ledger.link.command("ZCARD", f"{ledger.prefix}ready:normal") == 1
    run = run_to_start(ledger)
    ledger.step(run, DONE)
    assert send_text.delay(TEXT, task_id=mine).status == "SUCCESS"  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="another"):
        send_text.delay(TEXT, task_id=mine, account="brand_b")  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def unconfigured() -> object:
    yield
    configure(None)
