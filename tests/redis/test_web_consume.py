"""Reading webhooks out of the streams: once each, again after a death, and never stopped by a bad one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from interakt_jobs.errors import LedgerUnreachable
from interakt_jobs.ledger.keys import prefix
from interakt_jobs.ledger.redis_client import RedisClient
from worker.webhooks import consumer as module
from worker.webhooks.consumer import Consumer

STREAM = f"{prefix('default')}webhooks"
Handled = list[tuple[str, Any, int]]


def never() -> bool:
    return False


def put(link: RedisClient, body: bytes, at: int = 1, account: str = "default") -> None:
    link.command("XADD", f"{prefix(account)}webhooks", "*", "at", at, "kind", "whatsapp", "body", body)


def reading(kind: str, body: Any) -> Any:
    if not isinstance(body, dict):
        raise TypeError("not a webhook")
    return body


def consumer(
    link: RedisClient, handled: Handled, fail: Callable[[Any], None] = lambda _: None
) -> Consumer[Any]:
    def handle(account: str, found: Any, at_ms: int) -> None:
        fail(found)
        handled.append((account, found, at_ms))

    return Consumer(link, ["default", "brand_b"], reading, handle)


def left(link: RedisClient) -> tuple[int, int]:
    """What is in the stream, and what of it is in somebody's hand."""
    return link.command("XLEN", STREAM), link.command("XPENDING", STREAM, "ledger")[0]


def test_each_webhook_is_handled_in_order_and_taken_off(link: RedisClient) -> None:
    handled: Handled = []
    for number in range(250):
        put(link, b'{"n":%d}' % number, number)
    put(link, b'{"n":"b"}', 5, "brand_b")
    reader = consumer(link, handled)
    while reader.round(never, 10):
        pass
    assert [found["n"] for account, found, _ in handled if account == "default"] == list(range(250))
    assert [each for each in handled if each[0] == "brand_b"] == [("brand_b", {"n": "b"}, 5)]
    assert left(link) == (0, 0)
    assert link.command("HGET", f"{prefix('default')}count", "webhook|read") == b"250"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"\xff\xfe\x00", b"[" * 100_000, b"9" * 10_000, b"[1]", b"null", b'"text"', b"{}x",
        b'{"a":' + b'{"a":' * 5000,
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_kept_raw_and_counted(link: RedisClient, body: bytes) -> None:
    handled: Handled = []
    put(link, body)
    put(link, b'{"n":1}')
    consumer(link, handled).round(never, 10)
    assert [found for _, found, _ in handled] == [{"n": 1}]
    ((_, fields),) = link.command("XRANGE", f"{STREAM}:unread", "-", "+")
    assert dict(zip(fields[::2], fields[1::2], strict=True))[b"body"] == body[:65536]
    assert link.command("HGET", f"{prefix('default')}count", "webhook|unread") == b"1"
    assert left(link) == (0, 0)


def test_a_webhook_whose_handler_keeps_failing_is_set_aside_and_the_others_go_on(
    link: RedisClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CLAIM_IDLE_MS", 0)
    monkeypatch.setattr(module, "CLAIM_SECONDS", 0.0)
    handled: Handled = []
    tries = []

    def fail(found: Any) -> None:
        if found["n"] == 2:
            tries.append(1)
            raise RuntimeError("no")

    reader = consumer(link, handled, fail)
    for number in (1, 2, 3):
        put(link, b'{"n":%d}' % number)
    for _ in range(6):
        reader.round(never, 10)
    assert [found["n"] for _, found, _ in handled] == [1, 3]
    assert len(tries) == 3
    assert left(link) == (0, 0)
    assert link.command("XLEN", f"{STREAM}:unread") == 1


def test_with_redis_away_the_same_webhooks_are_tried_again_at_once(link: RedisClient) -> None:
    handled: Handled = []
    fails = [LedgerUnreachable("gone")] * 2
    done = threading.Event()

    def fail(found: Any) -> None:
        if fails:
            raise fails.pop()
        if found["n"] == 3:
            done.set()

    for number in (1, 2, 3):
        put(link, b'{"n":%d}' % number)
    thread = consumer(link, handled, fail).thread(done.is_set)
    thread.start()
    assert done.wait(60)
    thread.join(60)
    assert [found["n"] for _, found, _ in handled] == [1, 2, 3]
    assert left(link) == (0, 0)


def test_what_a_dead_consumer_had_in_hand_is_taken_over(
    link: RedisClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(link, b'{"n":1}')
    consumer(link, []).round(lambda: True, 10)
    assert left(link) == (1, 1)
    monkeypatch.setattr(module, "CLAIM_IDLE_MS", 0)
    handled: Handled = []
    consumer(link, handled).round(never, 10)
    assert [found for _, found, _ in handled] == [{"n": 1}]
    assert left(link) == (0, 0)


def test_two_consumers_share_the_work(link: RedisClient) -> None:
    handled: Handled = []
    stop = threading.Event()
    threads = [consumer(link, handled).thread(stop.is_set) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(500):
        put(link, b'{"n":%d}' % number)
    for _ in range(200):
        if len(handled) >= 500:
            break
        stop.wait(0.05)
    stop.set()
    for thread in threads:
        thread.join(60)
    assert sorted(found["n"] for _, found, _ in handled) == list(range(500))
    assert left(link) == (0, 0)
    assert link.command("XINFO", "CONSUMERS", STREAM, "ledger") == []


def test_a_stream_that_is_deleted_is_made_anew(link: RedisClient) -> None:
    handled: Handled = []
    reader = consumer(link, handled)
    reader.round(never, 10)
    link.command("DEL", STREAM)
    put(link, b'{"n":1}')
    reader.round(never, 10)
    reader.round(never, 10)
    assert [found for _, found, _ in handled] == [{"n": 1}]
