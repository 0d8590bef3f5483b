"""Anything at all on the queues, and a job that ends its worker."""

from __future__ import annotations

import base64
import json
import random
import time
import uuid
from typing import Any

from interakt_jobs.ledger.keys import CELERY, POISON
from tests.chaos.bed import Trial
from tests.chaos.faults.wakeups import wake_message
from tests.chaos.load import text_payload
from tests.chaos.processes import wait_until
from tests.chaos.registry import fault

QUEUES = [f"{CELERY}{name}" for name in ("urgent", "normal", "bulk", "intake")]


def envelope(body: str, **changes: Any) -> bytes:
    """A Celery message of protocol 2; a change of None takes the field out."""
    message: dict[str, Any] = {
        "body": body,
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"lang": "py", "task": "interakt.wake", "id": str(uuid.uuid4()), "retries": 0},
        "properties": {
            "delivery_mode": 2, "delivery_info": {"exchange": "", "routing_key": "normal"}, "priority": 0,
            "delivery_tag": str(uuid.uuid4()), "body_encoding": "utf-8",
        },
    }  # fmt: skip
    message |= changes
    return json.dumps({name: value for name, value in message.items() if value is not None}).encode()


def _headers(**changes: Any) -> dict[str, Any]:
    return {"lang": "py", "task": "interakt.wake", "id": str(uuid.uuid4()), "retries": 0} | changes


GOOD_BODY = json.dumps([[1, "default", []], {}, {}])
KINDS: dict[str, bytes] = {
    "not JSON": b"this is not JSON",
    "bad UTF-8": b"\xff\xfe\x00\x80{}",
    "a scalar": b"42",
    "an object without envelope": b'{"x": 1}',
    "a body that is no triple": envelope('{"x": 1}'),
    "a body that is not JSON": envelope("not JSON"),
    "no task header": envelope(GOOD_BODY, headers={"id": "x", "lang": "py"}),
    "an unknown task": envelope(GOOD_BODY, headers=_headers(task="os.system")),
    "a refused content type": envelope(GOOD_BODY, **{"content-type": "application/x-python-serialize"}),
    "a bad eta": envelope(GOOD_BODY, headers=_headers(eta="soon")),
    "wrong arguments": envelope(json.dumps([[1, 2, 3, 4, 5], {"x": 1}, {}])),
    "bad base64": envelope(
        "%%%", properties={"body_encoding": "base64", "delivery_tag": "t", "delivery_info": {}}
    ),
    "null arguments": envelope(json.dumps([None, None, None])),
    "a megabyte": envelope(json.dumps([["x" * 1_100_000], {}, {}])),
    "deeply nested": b"[" * 200_000 + b"]" * 200_000,
    "a deeply nested body": envelope("[" * 100_000 + "]" * 100_000),
    "empty": b"",
    "nothing": b"null",
    "a list": b"[]",
    "NaN": b'{"headers": NaN}',
    "a huge number": b"1" * 6000,
    "no properties": envelope(GOOD_BODY, properties=None),
    "odd properties": envelope(GOOD_BODY, properties=[1]),
    "another version": wake_message(["x"], version=99).encode(),
    "a version that is a list": wake_message(["x"], version=[]).encode(),
    "an unknown account": wake_message(["x"], account="nobody").encode(),
    "an account that is an object": wake_message(["x"], account={}).encode(),
    "hostile job_keys": wake_message(["../../etc", "a" * 100_000, None, {}, "\r\nFLUSHALL\r\n"]).encode(),
    "intake without payload": wake_message([], task="interakt.send_text").encode(),
    "a lone surrogate": wake_message(["\ud800"]).encode(),
    "intake with a bad eta": envelope(
        json.dumps([[{}], {"_eta": 5}, {}]), headers=_headers(task="interakt.send_text")
    ),
    "intake with two payloads": envelope(
        json.dumps([[{}, {}], {}, {}]), headers=_headers(task="interakt.send_text")
    ),
    "intake with a hostile name": envelope(
        json.dumps([[{}], {"\ud800": 1, "payload": 1}, {}]), headers=_headers(task="interakt.send_text")
    ),
}
RUNNABLE = frozenset(
    {
        "wrong arguments",
        "another version",
        "a version that is a list",
        "an unknown account",
        "an account that is an object",
        "hostile job_keys",
        "a bad eta",
        "odd properties",
        "a lone surrogate",
    }
)


def _kept(trial: Trial, name: str) -> None:
    """None of these can be a job: each is among the poison messages."""
    try:
        wait_until(lambda: trial.bed.redis.xlen(POISON) >= len(QUEUES), 60, "kept")
    except TimeoutError:
        kept = trial.bed.redis.xlen(POISON)
        trial.expect(False, f"{name}: kept {kept} of {len(QUEUES)}")


def fuzzed(chance: random.Random) -> bytes:
    """A good message with random bytes changed, cut or repeated."""
    raw = bytearray(
        envelope(base64.b64encode(GOOD_BODY.encode()).decode() if chance.random() < 0.3 else GOOD_BODY)
    )
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(len(raw))
        match chance.randrange(4):
            case 0:
                raw[at] = chance.randrange(256)
            case 1:
                del raw[at : at + chance.randint(1, 30)]
            case 2:
                raw[at:at] = raw[at : at + chance.randint(1, 30)]
            case _:
                raw[at:at] = chance.choice([b"null", b"[]", b"{}", b'"', b"1e999", b"\x00"])
        raw = raw or bytearray(b"x")
    return bytes(raw)


@fault("poison: every known kind, on every queue", rounds=1, short=1)
def poison(trial: Trial) -> None:
    trial.latency()
    worker = trial.worker("a")
    pid = worker.pid
    trial.load(200, rate=40)
    for name, raw in KINDS.items():
        for queue in QUEUES:
            trial.bed.redis.lpush(queue, raw)
        try:
            wait_until(lambda: not any(trial.bed.redis.llen(queue) for queue in QUEUES), 60, "consumed")
        except TimeoutError:
            trial.expect(False, f"{name}: the queue is no longer read")
            break
        if name in RUNNABLE:
            time.sleep(0.05)
        else:
            _kept(trial, name)
        trial.expect(worker.running and worker.pid == pid, f"{name}: the worker ended")
        trial.bed.redis.delete(POISON)
    trial.expect(trial.supervisor.restarts == 0, "a worker had to be restarted")


@fault("poison: fuzzed messages", rounds=2000, short=200)
def fuzz(trial: Trial) -> None:
    trial.latency()
    worker = trial.worker("a")
    pid = worker.pid
    trial.load(200, rate=60)
    for _ in range(trial.rounds):
        trial.bed.redis.lpush(trial.random.choice(QUEUES), fuzzed(trial.random))
    wait_until(lambda: not any(trial.bed.redis.llen(queue) for queue in QUEUES), 120, "consumed")
    trial.expect(trial.bed.redis.xlen(POISON) > 0, "of all these nothing was kept")
    trial.expect(worker.running and worker.pid == pid, "the worker ended")
    trial.expect(trial.supervisor.restarts == 0, "a worker had to be restarted")


@fault("a job that ends its worker each time: dead crash_loop", rounds=2, short=1)
def crash_loop(trial: Trial) -> None:
    from interakt_jobs import configure, send_text

    configure(trial.bed.valkey.url, allow_unregistered=True)
    trial.latency()
    trial.worker("a", app="tests.chaos.mutant:app", pool="prefork", slots=2, env={"CHAOS_MUTATION": "crash"})
    trial.load(100, rate=30)
    killers = []
    for _ in range(trial.rounds):
        payload = text_payload(0) | {"data": {"message": "crash"}}
        killers.append(send_text.delay(payload, repeat="always"))
    trial.accepted |= {str(job.id): "always" for job in killers}
    trial.bound += 3 * trial.rounds * 2
    wait_until(lambda: all(job.ready() for job in killers), 180, "crash loops end")
    reasons = [job.read().reason for job in killers]
    trial.expect(reasons == ["crash_loop"] * trial.rounds, f"dead for {reasons}")
