"""``on_receipts`` to a host's own Celery worker: the end and every receipt, and no word more."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from redis import Redis

from interakt_jobs.event import CALLBACK_KEYWORDS
from sandbox.stack import Stack

from .host import Host

LISTENER = """
import json, os
from celery import Celery
from redis import Redis

app = Celery("listener", broker=os.environ["SHOP_BROKER_URL"])
app.conf.task_ignore_result = True
notes = Redis.from_url(os.environ["SHOP_BROKER_URL"])

@app.task(name="listener.told")
def told(*words, **more):
    notes.rpush("notes", json.dumps([words, more]))
"""
ENQUEUE = """
import json
from interakt_jobs import send_text
text = {"countryCode": "+91", "phoneNumber": "9999999999", "data": {"message": "Hello"}}
word = {"on_done": "listener.told", "on_done_queue": "listener"}
every, last, none = send_text.delay(text, on_receipts=True, **word), send_text.delay(text, **word), send_text.delay(text)
print(json.dumps([every.id, last.id]))
"""


@pytest.fixture
def listener(host: Callable[..., Host], worker: Stack) -> Iterator[Host]:
    """A host that is only a Celery app, and writes down what it is told."""
    worker.web()
    worker.sandbox.webhooks(url=worker.webhook_url, secret=worker.environment["INTERAKT_WEBHOOK_SECRET"])
    with host("fastapi_shop") as found:
        found.folder = found.logs
        (found.folder / "listener.py").write_text(LISTENER)
        found.celery("listener", "listener")
        yield found
    worker.sandbox.webhooks(url="")
    worker.end("web")


def test_it_is_told_of_every_receipt_if_it_asked_to_be(listener: Host) -> None:
    every, last = listener.run(ENQUEUE)
    with Redis.from_url(listener.environment["SHOP_BROKER_URL"]) as broker:

        def notes() -> list[tuple[str, str, str]]:
            found = [json.loads(raw) for raw in broker.lrange("notes", 0, -1)]
            assert all(set(more) == set(CALLBACK_KEYWORDS) for _, more in found)
            return [(job, more["event"], more["state"]) for (job,), more in found]

        receipts = {(every, "receipt", kind) for kind in ("sent", "delivered", "read")}
        wanted = {(every, "ended", "done"), (last, "ended", "done"), *receipts}
        listener.until(lambda: wanted <= set(notes()), "word of the receipts")
        assert set(notes()) == wanted
