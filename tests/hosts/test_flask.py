"""A Flask app with its own Celery, in processes that gunicorn forks after loading it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from sandbox.stack import Stack

from .host import Host

JOHN = {"phone": "9999999999", "name": "John", "quantity": 2}
SAVEPOINTS = """
import json
from shop.database import Session
from shop.on_commit import on_commit
done = []
def note(session, word):
    on_commit(session, lambda: done.append(word))
with Session.begin() as session:
    note(session, "outer")
    with session.begin_nested():
        note(session, "kept")
        with session.begin_nested() as inner:
            note(session, "dropped")
            inner.rollback()
        note(session, "kept too")
    before = list(done)
try:
    with Session.begin() as session:
        note(session, "never")
        with session.begin_nested():
            note(session, "nor this")
        raise KeyError
except KeyError:
    pass
with Session() as session:
    note(session, "later")
    session.rollback()
    session.commit()
    note(session, "too late")
    session.close()
    session.commit()
print(json.dumps([before, done]))
"""


@pytest.fixture(scope="module")
def flask(host: Callable[..., Host]) -> Iterator[Host]:
    with host("flask_shop") as shop:
        words = f"-m gunicorn --preload --workers 2 --bind 127.0.0.1:{shop.port} shop:create_app()"
        shop.start("web", str(shop.python), *words.split())
        shop.until(lambda: shop.ask("/orders/0")[0] == 404, "server")
        shop.celery("shop.worker", "flask_shop")
        yield shop


def test_each_forked_process_sends_and_the_shops_own_task_is_told(flask: Host, worker: Stack) -> None:
    answers = [flask.ask("/orders", **JOHN) for _ in range(12)]
    assert {status for status, _ in answers} == {201}
    for _, answer in answers:
        order = f"/orders/{answer['order']}"
        told = flask.until(
            lambda order=order: (found := flask.ask(order)[1])["message_state"] and found, "end"
        )
        assert (told["status"], told["message_state"]) == ("SUCCESS", "done")
        assert worker.sandbox.jobs()[told["job"]] == (1, 1)


def test_an_order_that_is_rolled_back_sends_nothing(flask: Host, worker: Stack) -> None:
    before = worker.sandbox.summary()["calls"]
    assert flask.ask("/orders", **{**JOHN, "quantity": 101})[0] == 409
    _, answer = flask.ask("/orders", **JOHN)
    flask.until(lambda: flask.ask(f"/orders/{answer['order']}")[1]["message_state"], "word of the end")
    assert worker.sandbox.summary()["calls"] == before + 1


def test_savepoints_that_are_rolled_back_take_their_calls_with_them(flask: Host) -> None:
    assert flask.run(SAVEPOINTS) == [[], ["outer", "kept", "kept too"]]
