"""A producer in a fork, in threads, on an event loop, and without a Redis: each call is right, or a named error."""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from interakt_jobs import (
    Job,
    JobError,
    LedgerUnreachable,
    NotConfigured,
    Unregistered,
    configure,
    send_template,
    send_text,
)
from interakt_jobs.ledger.keys import prefix
from interakt_jobs.ledger.redis_client import RedisClient
from sandbox.valkey import Valkey, free_port
from worker.process import REGISTER

TEXT = {"countryCode": "+91", "phoneNumber": "9999999999", "data": {"message": "hello"}}
READY = f"{prefix('default')}ready:normal"


@pytest.fixture(autouse=True)
def unconfigured() -> Iterator[None]:
    yield
    configure(None)


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    """The ledger this process enqueues to."""
    configure(redis_url, allow_unregistered=True)
    with Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


def enqueue(count: int, mark: str) -> list[str]:
    """The ids of so many jobs; each is read back as what it was enqueued as."""
    jobs = [send_text.delay({**TEXT, "callbackData": f"{mark}-{number}"}) for number in range(count)]
    for number, job in enumerate(jobs):
        assert job.read().payload["callbackData"] == f"{mark}-{number}"
    return [job.id for job in jobs]


def in_child(work: Callable[[], list[str]]) -> Callable[[], list[str]]:
    """Run ``work`` in a forked child; what is returned waits for its lines."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, "\n".join(work()).encode())
        finally:
            os._exit(0)
    os.close(writer)

    def wait() -> list[str]:
        with os.fdopen(reader) as lines:
            found = lines.read().split()
        os.waitpid(child, 0)
        return found

    return wait


def test_a_parent_and_its_forked_children_enqueue_at_once_after_the_link_was_used(redis: Redis) -> None:
    before = enqueue(3, "before")
    children = [in_child(lambda child=child: enqueue(40, f"child{child}")) for child in range(3)]
    parents = enqueue(40, "parent")
    ids = [*before, *parents, *(job for child in children for job in child())]
    assert len(ids) == len(set(ids)) == 163 == redis.zcard(READY)
    assert {Job(one).job_key for one in ids} == set(redis.zrange(READY, 0, -1))


def test_a_child_of_a_child_mints_ids_of_its_own(redis: Redis) -> None:
    enqueue(1, "before")
    found = in_child(lambda: [*in_child(lambda: enqueue(5, "grandchild"))(), *enqueue(5, "child")])()
    assert len(set(found)) == 10


def test_eight_threads_share_one_configuration(redis: Redis) -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = [one for some in pool.map(lambda n: enqueue(50, f"thread{n}"), range(8)) for one in some]
    assert len(ids) == len(set(ids)) == 400 == redis.zcard(READY)


def test_an_event_loop_goes_on_while_its_threads_enqueue(redis: Redis, valkey: Valkey) -> None:
    async def enqueue_all() -> list[Job]:
        valkey.signal(signal.SIGSTOP)  # so that each waits in its thread
        try:
            calls = [asyncio.create_task(asyncio.to_thread(send_text.delay, TEXT)) for _ in range(100)]
            for _ in range(20):
                await asyncio.sleep(0.001)
            assert not any(call.done() for call in calls)
        finally:
            valkey.signal(signal.SIGCONT)
        return await asyncio.gather(*calls)

    jobs = asyncio.run(enqueue_all())
    assert len({job.id for job in jobs}) == 100 == redis.zcard(READY)


@contextmanager
def silent_socket() -> Iterator[str]:
    """It takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


@contextmanager
def full_backlog() -> Iterator[str]:
    """It does not even take connections: its queue is full, so connecting hangs."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(server.getsockname())
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        for one in waiting:
            one.close()


WAYS: dict[str, Callable[[], Any]] = {
    "delay": lambda: send_text.delay(TEXT),
    "delay_many": lambda: list(send_text.delay_many([dict(TEXT) for _ in range(250)])),
    "status": lambda: Job(f"ij1.default.{'0' * 32}").status,
    "get": lambda: Job(f"ij1.default.{'0' * 32}").get(timeout=1),
}


def raises_unreachable(call: Callable[[], Any]) -> None:
    started = time.monotonic()
    with pytest.raises(LedgerUnreachable, match="no answer from Redis") as raised:
        call()
    assert time.monotonic() - started < 60
    assert isinstance(raised.value, ConnectionError) and isinstance(raised.value, JobError)
    assert "9999999999" not in str(raised.value)


def test_both_tries_of_a_call_take_less_than_five_seconds() -> None:
    words = inspect.signature(RedisClient).parameters
    assert 2 * max(words["timeout"].default, words["connect_timeout"].default) < 5


@pytest.mark.parametrize("way", WAYS)
def test_a_port_that_refuses_is_a_named_error(way: str) -> None:
    configure(f"redis://127.0.0.1:{free_port()}/0", allow_unregistered=True)
    raises_unreachable(WAYS[way])


def test_a_redis_that_never_answers_is_a_named_error_raises_unreachable() -> None:
    with silent_socket() as url, ThreadPoolExecutor(len(WAYS)) as pool:
        configure(url, allow_unregistered=True)
        list(pool.map(raises_unreachable, WAYS.values()))


def test_connecting_that_hangs_is_a_named_error_raises_unreachable() -> None:
    with full_backlog() as url:
        configure(url, allow_unregistered=True)
        raises_unreachable(WAYS["delay"])


def test_a_stopped_redis_takes_all_of_a_call_or_nothing_and_its_key_tells(tmp_path: Path) -> None:
    with (
        Valkey(directory=str(tmp_path)) as server,
        Redis.from_url(server.url, decode_responses=True) as redis,
    ):
        configure(server.url, allow_unregistered=True)
        first = send_text.delay(TEXT)  # its connection is held when the server stops
        items = [({**TEXT, "callbackData": str(number)}, f"many-{number}") for number in range(250)]
        server.signal(signal.SIGSTOP)
        with ThreadPoolExecutor(2) as pool:
            one = pool.submit(raises_unreachable, lambda: send_text.delay(TEXT, idempotency_key="order-1"))
            many = pool.submit(raises_unreachable, lambda: list(send_text.delay_many(items, lane="normal")))
            one.result()
            many.result()
        server.signal(signal.SIGCONT)

        job = send_text.delay(TEXT, idempotency_key="order-1")
        found = list(send_text.delay_many(items, lane="normal"))
        assert not any(item.error for item in found)
        job_keys = {first.job_key, job.job_key, *(item.job.job_key for item in found if item.job)}
        assert set(redis.zrange(READY, 0, -1)) == job_keys and len(job_keys) == 252
        assert {
            key.rpartition(":")[2] for key in redis.scan_iter(f"{prefix('default')}j:*", 1000)
        } == job_keys


def test_a_redis_that_comes_back_needs_no_new_configuration(tmp_path: Path) -> None:
    with Valkey(directory=str(tmp_path)) as server:
        configure(server.url, allow_unregistered=True)
        first = send_text.delay(TEXT)
        server.kill()
        raises_unreachable(WAYS["delay"])
        server.start()
        assert first.status == send_text.delay(TEXT).status == "PENDING"


def test_an_account_that_no_worker_registered_is_named_and_leaves_nothing(
    link: RedisClient, redis_url: str
) -> None:
    configure(redis_url)
    with pytest.raises(Unregistered, match=r"'default'.*start a worker"):
        send_text.delay(TEXT)
    assert link.command("KEYS", "*") == []
    link.run(REGISTER, [prefix("default")], 60000, 60000)
    written = sorted(link.command("KEYS", "*"))
    with pytest.raises(Unregistered, match="brand_b"):
        send_text.delay(TEXT, account="brand_b")
    with pytest.raises(Unregistered, match="brand_b"):
        list(send_text.delay_many([TEXT], account="brand_b"))
    assert sorted(link.command("KEYS", "*")) == written
    assert send_text.delay(TEXT).status == "PENDING"


def test_the_hosts_own_redis_url_is_never_read(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", redis_url)
    with pytest.raises(NotConfigured, match="INTERAKT_REDIS_URL"):
        send_text.delay(TEXT)


REFUSED = {
    "link": "on_done",
    "link_error": "on_done",
    "chord": "on_done",
    "queue": "lane=",
    "routing_key": "lane=",
    "exchange": "lane=",
    "priority": "lane=",
    "retry": "repeat=",
    "retry_policy": "repeat=",
    "ignore_result": "forget",
    "connection": "configure",
    "producer": "configure",
    "countdwn": "options of apply_async",
}


@pytest.mark.parametrize("option", REFUSED)
def test_an_option_that_could_do_nothing_is_refused_with_what_to_use(redis: Redis, option: str) -> None:
    for call in (send_text.delay, lambda payload, **words: send_text.apply_async((payload,), **words)):
        with pytest.raises(TypeError, match=rf"'{option}' would do nothing here: .*{REFUSED[option]}"):
            call(TEXT, **{option: "x"})
    assert redis.keys() == []


WRONG: dict[str, dict[str, Any]] = {
    "lane": {"lane": "slow"},
    "repeat": {"repeat": "often"},
    "countdown and eta": {"countdown": 1, "eta": time},
    "countdown": {"countdown": -1},
    "expires": {"expires": float("inf")},
    "max_attempts": {"max_attempts": 0},
    "idempotency_key": {"idempotency_key": ""},
    "on_done": {"on_done_queue": "shop"},
    "account": {"account": "Brand B"},
}


@pytest.mark.parametrize("named", WRONG)
def test_a_value_that_cannot_be_is_refused_by_name_before_anything_is_written(
    redis: Redis, named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        send_text.delay(TEXT, **WRONG[named])
    assert redis.keys() == []


@pytest.mark.parametrize("arguments", [(TEXT,), (TEXT, TEXT)], ids=["a mapping as args", "two payloads"])
def test_payloads_come_one_by_one(redis: Redis, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError, match="payload alone"):
        send_template.apply_async(arguments if len(arguments) > 1 else TEXT)  # type: ignore[arg-type]
    assert redis.keys() == []
