"""A thread goes on with its lane's next job, unless an account that holds fewer threads waits."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from interakt_jobs.ledger.redis_client import RedisClient
from worker.delivery.outcomes import Dead
from worker.delivery.runner import Delivery
from worker.dispatch.heartbeat import Heartbeat
from worker.ledger.work_ledger import WorkLedger


@pytest.mark.parametrize(("yields", "handled"), [(False, 3), (True, 1)])
def test_a_thread_yields(
    link: RedisClient,
    ledger: WorkLedger,
    accept: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    yields: bool,
    handled: int,
) -> None:
    monkeypatch.setattr(Heartbeat, "start", lambda self: None)
    for _ in range(3):
        accept("run_campaign")
    released = ledger.release("dispatcher", {"normal": 1}).job_keys["normal"]
    local = {"run_campaign": lambda *_: Dead("rejected", "no", "", "")}
    heartbeat = Heartbeat(link, lease_seconds=30)
    delivery = Delivery(ledger, None, None, heartbeat, False, local)  # type: ignore[arg-type]
    assert delivery.deliver(released, lambda: yields) == handled
