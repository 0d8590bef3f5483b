"""A Django project with its own ``tasks.py``, ``config/`` and Celery, an old one at that."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator

import pytest

from sandbox.stack import Stack

from .host import Host

JOHN = {"phone": "9999999999", "name": "John", "quantity": 2}
ASK = """
import json, os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
import django
django.setup()
"""


@pytest.fixture(scope="module")
def django(host: Callable[..., Host]) -> Iterator[Host]:
    with host("django_shop") as shop:
        subprocess.run(
            [shop.python, "manage.py", "migrate", "-v0"], cwd=shop.folder, env=shop.environment, check=True
        )
        shop.start("web", str(shop.python), "manage.py", "runserver", "--noreload", str(shop.port))
        shop.celery("config", "django_shop")
        shop.until(lambda: shop.ask("/orders/0")[0] == 404, "server")
        yield shop


def test_an_order_sends_a_message_and_the_shops_own_task_is_told(django: Host, worker: Stack) -> None:
    status, answer = django.ask("/orders", **JOHN)
    assert status == 201
    order = f"/orders/{answer['order']}"
    told = django.until(lambda: (found := django.ask(order)[1])["message_state"] and found, "word of the end")
    assert (told["status"], told["message_state"]) == ("SUCCESS", "done")
    assert worker.sandbox.jobs()[told["job"]] == (1, 1)


def test_an_order_that_is_rolled_back_sends_nothing(django: Host, worker: Stack) -> None:
    before = worker.sandbox.summary()["calls"]
    assert django.ask("/orders", **{**JOHN, "quantity": 101})[0] == 409
    code = ASK + (
        "from shop.models import Order\nprint(json.dumps(Order.objects.filter(quantity=101).count()))"
    )
    assert django.run(code) == 0
    _, answer = django.ask("/orders", **JOHN)
    django.until(lambda: django.ask(f"/orders/{answer['order']}")[1]["message_state"], "word of the end")
    assert worker.sandbox.summary()["calls"] == before + 1


def test_an_order_outlives_an_outage_of_redis_and_is_caught_up_on_once(django: Host, worker: Stack) -> None:
    order = ASK + (
        "from django.test import Client\n"
        "answer = Client().post('/orders', {'phone': '9999999999', 'name': 'John', 'quantity': '1'})\n"
        "print(json.dumps([answer.status_code, answer.json()['order']]))"
    )
    status, number = django.run(order, INTERAKT_REDIS_URL="redis://127.0.0.1:1/0")
    assert status == 201 and django.ask(f"/orders/{number}")[1]["status"] == "NONE"
    again = ASK + (
        "import tasks\nfrom shop.models import Order\n"
        "print(json.dumps([tasks.catch_up(), tasks.catch_up(), Order.objects.get(id=sys.argv[1]).job]))"
    )
    first, _, job = django.run(again, str(number))
    django.until(lambda: django.ask(f"/orders/{number}")[1]["message_state"], "word of the end")
    assert first == 1 and worker.sandbox.jobs()[job] == (1, 1)
