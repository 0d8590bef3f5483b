"""The poison guard: one malformed message must not end the worker.

Celery 5.7 exits on several kinds of malformed messages, on one of them in an endless loop. So each message is read here
first: what is not a wake-up or one of our tasks is kept, raw and truncated, with its reason, and what is one is
handed on rebuilt from checked parts alone. An ``eta`` or ``expires`` of an intake message goes to the ledger; it
never waits in a worker's memory. Overrides one private method of kombu 5.7; ``INTERAKT_POISON_GUARD=off`` takes it out.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import re
from collections.abc import Collection
from queue import Empty
from typing import Any

from kombu.transport import redis as kombu_redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from interakt_jobs.ledger.keys import POISON
from interakt_jobs.ledger.redis_errors import FAILURES, explain
from worker.ledger.set_aside import suspected

from .publisher import celery_message

log = logging.getLogger(__name__)
MOST_BYTES, KEPT_BYTES, KEPT_MESSAGES = 1_048_576, 65_536, 10_000
_NAME = re.compile(r"interakt\.[a-z_]{1,60}\Z")
_ID = re.compile(r"[A-Za-z0-9_.\-]{1,120}\Z")


tasks: set[str] = set()  # the names of ours, which the app fills in


class Poison(Exception):
    """Raised for a message that is not one of ours; its text is the reason."""


def rebuild(raw: bytes, tasks: Collection[str], queue: str) -> dict[str, Any]:
    """The message as Celery wants it, from checked parts alone; raises ``Poison``.

    ``queue`` is where it came from, and where it goes when a worker that ends gives it back.
    """
    if len(raw) > MOST_BYTES:
        raise Poison(f"larger than {MOST_BYTES} bytes")
    try:
        message = json.loads(raw)
        headers, properties = message["headers"], message["properties"]
        task, task_id = headers["task"], headers["id"]
    except (ValueError, RecursionError):
        raise Poison("not JSON") from None
    except (KeyError, TypeError):
        raise Poison("no Celery message of protocol 2") from None
    if not isinstance(task, str) or not _NAME.match(task) or task not in tasks:
        raise Poison("unknown task")
    if not isinstance(task_id, str) or not _ID.match(task_id):
        raise Poison("the task id is not one")
    if message.get("content-type") != "application/json":
        raise Poison("the content type is not application/json")
    args, kwargs = _body(message.get("body"), properties)
    for name in ("eta", "expires"):
        if headers.get(name):
            kwargs.setdefault("_" + name, str(headers[name])[:40])
    message = celery_message(queue, task, task_id, args, kwargs)
    message["headers"] |= {
        "parent_id": None,
        "group": None,
        "retries": 0,
        "timelimit": [None, None],
        "argsrepr": "(...)",
        "kwargsrepr": "{...}",
    }
    return message


def _body(body: Any, properties: Any) -> tuple[list[Any], dict[str, Any]]:
    try:
        if isinstance(properties, dict) and properties.get("body_encoding") == "base64":
            body = base64.b64decode(body, validate=True)
        args, kwargs, _ = json.loads(body)
    except (ValueError, TypeError, RecursionError):
        raise Poison("the body is not [args, kwargs, embed]") from None
    if not isinstance(args, list) or not isinstance(kwargs, dict):
        raise Poison("args is no list or kwargs no object")
    if "self" in kwargs:
        raise Poison("an argument named self, which Celery cannot call with")
    return args, kwargs


class Channel(kombu_redis.Channel):
    """kombu's channel; what BRPOP brings is read by ``rebuild`` first.

    An error of Redis is raised as a lost connection, with words of ours: Celery then waits and tries again.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]
        suspected.set()  # a queue of the wrong type may be why the connection before this one was given up
        try:
            self.client.delete("nothing")  # one that answers and cannot write is not there yet
        except FAILURES as error:
            self.close()  # type: ignore[no-untyped-call]
            raise lost(error) from error

    def _queue_bind(self, *args: Any) -> None:
        """The queues are found without their bindings: at its maxmemory Redis refuses those, and must be emptied."""
        try:
            super()._queue_bind(*args)  # type: ignore[no-untyped-call]
        except ResponseError as error:
            if explain(error).word not in ("OOM", "WRONGTYPE"):
                raise

    def _brpop_read(self, **options: Any) -> bool:
        try:
            try:
                found = self.client.parse_response(self.client.connection, "BRPOP", **options)
            except FAILURES as error:
                self.client.connection.disconnect()
                raise lost(error) from error
            if not found:
                raise Empty
            destination, raw = found
            queue = destination.decode("utf-8", "replace").rsplit(self.sep, 1)[0]
            queue = queue.removeprefix(self.global_keyprefix)
            self._queue_cycle.rotate(queue)
            try:
                message = rebuild(raw, tasks, queue)
            except Poison as poison:
                self._keep(queue, raw, str(poison))
                raise Empty from None
            self.connection._deliver(message, queue)
            return True
        finally:
            vars(self)["_in_poll"] = None
            self._flush_brpop_reauth()  # type: ignore[no-untyped-call]

    def _keep(self, queue: str, raw: bytes, reason: str) -> None:
        try:
            with self.conn_or_acquire() as client:
                keep_poison(client, queue, raw, reason)
        except FAILURES as error:  # Redis is full: nobody waits for this message, the others go on
            log.error(
                "it could not be kept: %s", lost(error), extra={"action": "poison_lost", "queue": queue}
            )


def lost(error: Exception) -> RedisConnectionError:
    """What kombu takes for a lost connection."""
    fault = explain(error)
    if fault.word == "WRONGTYPE":
        suspected.set()
    return RedisConnectionError(str(fault))


def keep_poison(client: Any, queue: str, raw: bytes, reason: str) -> None:
    """Keep a message in the stream ``{ij1:poison}``, truncated; ``client`` has redis-py's ``execute_command``."""
    digest = hashlib.sha256(raw).hexdigest()
    log.error(
        "poison message kept", extra={"action": "poison", "queue": queue, "reason": reason, "sha256": digest}
    )
    client.execute_command(
        "XADD", POISON, "MAXLEN", "~", KEPT_MESSAGES, "*",
        "queue", queue, "reason", reason, "bytes", len(raw), "sha256", digest, "raw", raw[:KEPT_BYTES],
    )  # fmt: skip


class Transport(kombu_redis.Transport):
    """kombu's Redis transport with the guarded channel."""

    Channel = Channel
