"""``on_done`` from end to end: a host's own Celery worker hears of every end, whatever was away or killed meanwhile."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator

import pytest
from redis import Redis
from redis.exceptions import RedisError

from interakt_jobs.ledger.keys import prefix
from sandbox.stack import Stack
from sandbox.valkey import Valkey

from .host import Host

OUTBOX = f"{prefix('default')}outbox"
ENQUEUE = """
import json, sys
from interakt_jobs import send_text
text = {"countryCode": "+91", "phoneNumber": "9999999999", "data": {"message": "hello"}}
told = {"on_done": "shop_celery.message_ended", "on_done_queue": "fastapi_shop"}
jobs = [one.job for one in send_text.delay_many([text] * int(sys.argv[1]), lane="normal", **told)]
assert {job.get(timeout=60)["status"] for job in jobs} == {201}
print(json.dumps([job.id for job in jobs]))
"""
ENDS = """
import json
from interakt_jobs import JobCancelled, JobDead, send_text
text = {"countryCode": "+91", "phoneNumber": "9999999999", "data": {"message": "hello"}}
told = {"on_done": "shop_celery.message_ended", "on_done_queue": "fastapi_shop"}
dead = send_text.delay({**text, "phoneNumber": "12"}, **told)
cancelled = send_text.delay(text, countdown=600, **told)
cancelled.revoke()
done = send_text.delay(text, **told)
found = {}
for job in (dead, cancelled, done):
    try:
        job.get(timeout=60)
        found[job.id] = "done"
    except (JobDead, JobCancelled) as error:
        found[job.id] = "dead" if isinstance(error, JobDead) else "cancelled"
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def shop(host: Callable[..., Host], worker: Stack) -> Iterator[Host]:
    with host("fastapi_shop") as found:
        found.celery("shop_celery", "fastapi_shop")
        yield found


def waiting(worker: Stack) -> int:
    with Redis.from_url(worker.valkey.url) as ledger:
        return int(ledger.llen(OUTBOX))


def told(broker: Valkey, ids: list[str]) -> dict[str, str | None]:
    """What the host's worker has noted of each job."""
    with Redis.from_url(broker.url, decode_responses=True) as client:
        return dict(zip(ids, client.mget([f"shop:ended:{one}" for one in ids]), strict=True))


def until_all_told(shop: Host, worker: Stack, broker: Valkey, ids: list[str]) -> None:
    def all_told() -> bool:
        try:
            return all(told(broker, ids).values()) and waiting(worker) == 0
        except RedisError:
            return False

    shop.until(all_told, "word of every job, with an empty outbox")
    assert set(told(broker, ids).values()) == {"done"}


def test_each_kind_of_end_is_told(shop: Host, worker: Stack, broker: Valkey) -> None:
    ends = shop.run(ENDS)
    assert sorted(ends.values()) == ["cancelled", "dead", "done"]
    shop.until(lambda: all(told(broker, list(ends)).values()), "word of the ends")
    assert told(broker, list(ends)) == ends
    assert waiting(worker) == 0


def test_a_broker_that_was_away_gets_every_word_when_it_is_back(
    shop: Host, worker: Stack, broker: Valkey
) -> None:
    broker.kill()
    try:
        ids = shop.run(ENQUEUE, "20")  # the jobs themselves do not wait for that broker
        assert waiting(worker) == 20
        time.sleep(1.5)
        assert waiting(worker) == 20
    finally:
        broker.start()
    until_all_told(shop, worker, broker, ids)


def test_a_worker_killed_while_it_tells_leaves_nobody_untold(
    shop: Host, worker: Stack, broker: Valkey
) -> None:
    broker.signal(signal.SIGSTOP)  # it takes a message and does not confirm it
    try:
        ids = shop.run(ENQUEUE, "150")
        assert waiting(worker) == 150
        worker.kill("worker")
    finally:
        broker.signal(signal.SIGCONT)
    worker.worker()
    until_all_told(shop, worker, broker, ids)
