"""The outbox on a real broker: in order, at least once, and never in the dispatcher's way."""

from __future__ import annotations

import base64
import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kombu.utils.json import loads
from redis import Redis

from interakt_jobs.errors import LedgerUnreachable
from interakt_jobs.ledger.keys import prefix
from sandbox.valkey import Valkey
from tests.tls import behind_tls
from tests.waiting import until
from worker.callbacks.outbox import BATCH, Outbox
from worker.ledger.work_ledger import WorkLedger
from worker.webhooks.receipts import apply_receipt

from .test_held_ends import LOST, webhooks
from .test_ledger import holds_end, run_to_start

KEY = f"{prefix('default')}outbox"


def entry(job_key: str, **changed: object) -> str:
    return json.dumps({"id": job_key, "state": "done", "task": "shop.told", "event": "ended", **changed})


def fill(ledger: WorkLedger, *entries: str) -> None:
    ledger.link.command("RPUSH", KEY, *entries)


def left(ledger: WorkLedger) -> int:
    return int(ledger.link.command("LLEN", KEY))


def received(url: str, queue: str = "celery") -> list[tuple[str, Any, Any]]:
    """The messages in a queue, oldest first: task, args, kwargs."""
    with Redis.from_url(url) as broker:
        raws = [json.loads(raw) for raw in reversed(broker.lrange(queue, 0, -1))]
    bodies = [loads(base64.b64decode(raw["body"])) for raw in raws]
    return [(raw["headers"]["task"], *body[:2]) for raw, body in zip(raws, bodies, strict=True)]


@pytest.fixture
def broker(tmp_path: Path) -> Any:
    with Valkey(directory=str(tmp_path)) as server:
        yield server


def test_it_publishes_in_order_and_removes_what_it_published(ledger: WorkLedger, broker: Valkey) -> None:
    number = 2 * BATCH + 7
    fill(ledger, *(entry(f"{n:032x}") for n in range(number)))
    Outbox(broker.url).publish_waiting(ledger)
    until(lambda: left(ledger) == 0)
    found = received(broker.url)
    assert [args[0] for _, args, _ in found] == [f"ij1.default.{n:032x}" for n in range(number)]
    assert found[0] == ("shop.told", [f"ij1.default.{0:032x}"], {"state": "done", "event": "ended"})


def test_a_correction_is_published_with_every_field_of_the_event(
    ledger: WorkLedger, broker: Valkey, accept: Callable[..., str]
) -> None:
    webhooks(ledger)
    job_key = accept(repeat="never", options='{"on_done":"shop.told"}')
    ledger.step(run_to_start(ledger), LOST)
    holds_end(ledger)
    apply_receipt(ledger, job_key, "sent", at_ms=int(time.time() * 1000), provider_id="p-1")
    Outbox(broker.url).publish_waiting(ledger)
    until(lambda: left(ledger) == 0)
    ended, corrected = received(broker.url)
    known = {"round": 0, "was": "", "provider_id": ""}
    assert ended == (
        "shop.told",
        [f"ij1.default.{job_key}"],
        {**known, "event": "ended", "state": "dead", "reason": "unknown_outcome", "sequence": 1},
    )
    told = {
        "event": "corrected",
        "state": "done",
        "reason": "",
        "was": "dead",
        "sequence": 2,
        "provider_id": "p-1",
    }
    assert corrected == (ended[0], ended[1], {**known, **told})


def test_a_queue_of_its_own_an_inbound_message_and_what_cannot_be_read(
    ledger: WorkLedger, broker: Valkey
) -> None:
    fill(ledger, "{", '{"id":1}', entry("a", queue="own"), entry("m1", event="inbound", state="text"))
    Outbox(broker.url).publish_waiting(ledger)
    until(lambda: left(ledger) == 0)
    assert [args[0] for _, args, _ in received(broker.url, "own")] == ["ij1.default.a"]
    assert received(broker.url) == [("shop.told", ["in1.default.m1"], {"state": "text", "event": "inbound"})]


def test_what_was_published_but_not_removed_is_published_again(
    ledger: WorkLedger, broker: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(ledger, entry("a"))
    outbox = Outbox(broker.url)
    (raw,) = ledger.link.command("LRANGE", KEY, 0, -1)

    def cut(*command: object, **_: object) -> None:
        raise LedgerUnreachable("cut off")

    with monkeypatch.context() as patch:
        patch.setattr(ledger.link, "command", cut)
        with pytest.raises(LedgerUnreachable):
            outbox.publish(ledger, [raw])
    outbox.publish_waiting(ledger)
    until(lambda: left(ledger) == 0)
    assert [args[0] for _, args, _ in received(broker.url)] == ["ij1.default.a"] * 2


def test_a_broker_that_is_away_costs_the_pacer_nothing_and_is_found_again(
    ledger: WorkLedger, broker: Valkey
) -> None:
    broker.kill()
    outbox = Outbox(broker.url)
    fill(ledger, entry("a"), entry("b"))
    for _ in range(3):
        outbox.publish_waiting(ledger)
        outbox._busy["default"].join(60)
    assert left(ledger) == 2
    broker.start()
    outbox.publish_waiting(ledger)
    until(lambda: left(ledger) == 0)
    assert [args[0] for _, args, _ in received(broker.url)] == ["ij1.default.a", "ij1.default.b"]


@pytest.mark.parametrize(
    "unusable",
    [
        "sentinel://127.0.0.1:1/0",
        "redis://127.0.0.1:1/0?socket_timeout=ten",
        "redis://127.0.0.1:1/x",
        "sqs://",
        "no://x",
    ],
)
def test_a_broker_that_cannot_be_used_costs_no_message(
    ledger: WorkLedger, broker: Valkey, unusable: str
) -> None:
    fill(ledger, entry("a"), entry("b"))
    outbox = Outbox(unusable)
    for _ in range(2):
        outbox.publish_waiting(ledger)
        outbox._busy["default"].join(60)
    assert left(ledger) == 2
    Outbox(broker.url).publish_waiting(ledger)
    until(lambda: left(ledger) == 0)
    assert [args[0] for _, args, _ in received(broker.url)] == ["ij1.default.a", "ij1.default.b"]


def test_a_broker_behind_tls_must_show_a_certificate_that_we_trust(
    ledger: WorkLedger, broker: Valkey, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with behind_tls(broker.port, certificate) as port:
        url = f"rediss://127.0.0.1:{port}/0"
        fill(ledger, entry("a"))
        outbox = Outbox(url)
        outbox.publish_waiting(ledger)
        outbox._busy["default"].join(60)
        assert left(ledger) == 1 and received(broker.url) == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        outbox.publish_waiting(ledger)
        until(lambda: left(ledger) == 0)
        fill(ledger, entry("b"))
        monkeypatch.delenv("SSL_CERT_FILE")
        Outbox(f"{url}?ssl_ca_certs={certificate}").publish_waiting(ledger)
        until(lambda: left(ledger) == 0)
    assert [args[0] for _, args, _ in received(broker.url)] == ["ij1.default.a", "ij1.default.b"]


def test_a_broker_that_never_answers_costs_the_pacer_nothing(ledger: WorkLedger) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        outbox = Outbox(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        fill(ledger, entry("a"))
        for _ in range(5):
            outbox.publish_waiting(ledger)
        assert outbox._busy["default"].is_alive(), "it waits for the broker, and nobody waits for it"
    assert left(ledger) == 1


def test_a_message_that_the_broker_refuses_does_not_hold_up_those_behind_it(
    ledger: WorkLedger, broker: Valkey
) -> None:
    with Redis.from_url(broker.url) as redis:
        redis.set("wrong", "a text where a list belongs")
    fill(ledger, entry("a", queue="wrong"), entry("b"))
    Outbox(broker.url).publish_waiting(ledger)
    until(lambda: left(ledger) == 1)
    assert [args[0] for _, args, _ in received(broker.url)] == ["ij1.default.b"]
    assert json.loads(ledger.link.command("LINDEX", KEY, 0))["id"] == "a"
