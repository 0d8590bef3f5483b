"""A thread goes on with its lane's next job, unless an account that holds fewer threads waits."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from interakt_jobs.ledger.redis_client import Link
from worker.delivery.runner import Delivery
from worker.dispatch.heartbeat import Presence
from worker.ledger.work_ledger import WorkLedger


@pytest.mark.parametrize(("yields", "handled"), [(False, 3), (True, 1)])
def test_a_thread_yields(
    link: Link,
    ledger: WorkLedger,
    accept: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    yields: bool,
    handled: int,
) -> None:
    monkeypatch.setattr(Presence, "_ensure_thread", lambda self: None)
    for _ in range(3):
        accept("run_campaign")
    released = ledger.release("pacer", {"normal": 1}).tails["normal"]
    local = {"run_campaign": lambda *_: ("dead", "rejected", "no", "", "")}
    presence = Presence(link, lease_seconds=30)
    delivery = Delivery(ledger, None, None, presence, False, local)  # type: ignore[arg-type]
    assert delivery.deliver(released, lambda: yields) == handled
