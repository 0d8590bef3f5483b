"""Threads that must live: whatever a turn meets they go on, and one that ends all the same is started anew."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import pytest

from interakt_jobs.errors import LedgerDamaged, LedgerRefused, LedgerUnreachable
from tests.waiting import until
from worker import threads
from worker.dispatch.heartbeat import Heartbeat
from worker.telemetry.rate_limited_log import RateLimitedLog
from worker.threads import SupervisedThread, Supervisor


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_once_a_minute", RateLimitedLog())
    monkeypatch.setattr(threads, "PAUSE_SECONDS", 0.001)


@pytest.mark.parametrize(
    "error",
    [
        LedgerUnreachable("away"),
        LedgerRefused("refused"),
        LedgerDamaged("damaged"),
        ValueError(),
        KeyError("x"),
        MemoryError(),
    ],
)
def test_a_thread_outlives_what_its_turns_meet(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    done, left = threading.Event(), threading.Event()
    turns = 0

    def turn() -> None:
        nonlocal turns
        turns += 1
        if turns < 5:
            raise error
        done.set()

    thread = SupervisedThread("it", turn, done.is_set, left.set)
    thread.start()
    assert left.wait(30) and turns == 5
    levels = [record.levelno for record in caplog.records]
    assert levels == [logging.CRITICAL if isinstance(error, LedgerRefused) else max(levels)], "told once"
    assert isinstance(error, LedgerRefused) or levels[0] < logging.CRITICAL


pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


def ends_once() -> tuple[Callable[[], None], threading.Event]:
    """A turn that ends its thread the first time."""
    ended, again = threading.Event(), threading.Event()

    def turn() -> None:
        if not ended.is_set():
            ended.set()
            raise SystemExit
        again.set()
        again.wait(0.01)

    return turn, again


def test_a_thread_that_has_ended_is_started_anew() -> None:
    turn, again = ends_once()
    over = threading.Event()
    watch = Supervisor()
    watch.start(SupervisedThread("it", turn, over.is_set))
    until(lambda: not watch.threads[0].is_alive())
    assert not again.is_set()
    watch.restart_ended()
    assert again.wait(30)
    over.set()
    watch.threads[0].join(30)


def test_how_long_a_thread_has_not_moved_is_told() -> None:
    over = threading.Event()
    watch = Supervisor()
    watch.start(SupervisedThread("stuck", lambda: over.wait(60), over.is_set))
    until(lambda: watch.still()["stuck"] >= 20)
    over.set()
    watch.threads[0].join(30)


def test_a_heartbeat_that_has_ended_is_started_anew_by_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    turn, again = ends_once()
    heartbeat = Heartbeat(None, lease_seconds=30)  # type: ignore[arg-type]
    monkeypatch.setattr(heartbeat, "_turn", turn)
    heartbeat.start()
    until(lambda: heartbeat._thread and not heartbeat._thread.is_alive())
    heartbeat.consumed()
    assert again.wait(30)
    monkeypatch.setattr("worker.dispatch.heartbeat.stopping", lambda: True)
    until(lambda: heartbeat._thread and not heartbeat._thread.is_alive())
