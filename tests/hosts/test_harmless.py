"""What is installed beside a host leaves everything of the host's as it was, used or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from .host import Host

TEXT = '{"countryCode": "+91", "phoneNumber": "9999999999", "data": {"message": "hello"}}'
USE = f"""
import interakt_jobs, interakt_jobs.testing, interakt_jobs.backend
job = interakt_jobs.send_text.delay({TEXT})
assert job.get(timeout=60)["status"] == 201 and job.successful()
assert len(list(interakt_jobs.send_text.delay_many([{TEXT}] * 5, lane="normal"))) == 5
try:
    interakt_jobs.send_text.delay({{"phoneNumbr": 1}})
except interakt_jobs.PayloadError:
    pass
"""
LOOK = """
import json, logging, os, signal, sys, threading, warnings
import celery, celery._state, celery.result, celery.signals, kombu.serialization

def named(value):
    return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', value)}"

def loggers():
    names = [name for name in logging.root.manager.loggerDict if name.startswith(("celery", "kombu", "redis", "host"))]
    found = {name: logging.getLogger(name) for name in ("", *names)}
    return {name: (it.level, list(map(repr, it.handlers)), it.propagate, it.disabled) for name, it in found.items()}

def look():
    app = celery.current_app._get_current_object()
    return {
        "current app": (app.main, id(app)),
        "default app": id(celery._state.default_app),
        "broker": app.conf.broker_url,
        "backend": app.conf.result_backend,
        "its tasks": sorted(app.tasks),
        "shared tasks": len(celery._state._on_app_finalizers),
        "a result's app": celery.result.AsyncResult("x").app.main,
        "apps": sorted(one.main for one in celery._state._get_active_apps() if one.main != "interakt_jobs"),
        "receivers": {name: len(getattr(it, "receivers", None) or ()) for name, it in vars(celery.signals).items()},
        "serializers": sorted(map(str, kombu.serialization.registry._encoders)),
        "refused content": sorted(map(str, kombu.serialization.registry._disabled_content_types)),
        "logging": loggers(),
        "logging at all": logging.root.manager.disable,
        "signals": [named(signal.getsignal(number)) for number in sorted(signal.valid_signals())],
        "hooks": [named(hook) for hook in (sys.excepthook, sys.unraisablehook, threading.excepthook)],
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "environment": dict(os.environ),
        "folder and path": [os.getcwd(), sys.path[:]],
        "warnings": list(map(str, warnings.filters)),
    }

def differences(before, after):
    after["logging"] = {name: after["logging"][name] for name in before["logging"]}  # loading a module makes its logger
    return {what: (before[what], after[what]) for what in before if before[what] != after[what]}
"""
OWN_APP = """
app = celery.Celery("host", broker=os.environ["SHOP_BROKER_URL"])
logging.basicConfig(level=logging.WARNING)
signal.signal(signal.SIGUSR1, lambda *_: None)

@celery.shared_task(name="host.shared")
def shared():
    return celery.current_task.app.main

@app.task(name="host.own")
def own():
    return celery.current_task.app.main

app.finalize()
"""
CHECK = """
after = look()
assert celery.current_app.main == "host" and own.app is app and shared.app is app
assert own.apply().get() == shared.apply().get() == "host"
assert not [name for name in app.tasks if name.startswith("interakt")]
shared.apply_async(queue="own")
with app.connection_for_read() as connection:
    message = connection.SimpleQueue("own").get(timeout=60)
    message.ack()
assert message.headers["task"] == "host.shared"
workers = {"config", "marshmallow", "phonenumbers", "sandbox", "schemas", "sentry_sdk", "tasks", "worker"}
print(json.dumps([differences(before, after), sorted(workers & set(sys.modules))]))
"""


@pytest.fixture(params=["django_shop", "flask_shop", "fastapi_shop"])
def beside(request: pytest.FixtureRequest, host: Callable[..., Host]) -> Iterator[Host]:
    """Each host's environment, with its versions of Celery and redis-py; only scripts run in it."""
    with host(request.param) as found:
        yield found


@pytest.mark.parametrize("done", ["import interakt_jobs", USE], ids=["imported", "used"])
def test_a_hosts_own_celery_logging_and_signals_stay_as_they_were(beside: Host, done: str) -> None:
    assert beside.run(f"{LOOK}{OWN_APP}before = look()\n{done}\n{CHECK}") == [{}, []]


def test_a_host_that_makes_its_celery_afterwards_gets_its_own(beside: Host) -> None:
    first = "import interakt_jobs\nassert celery._state.default_app is None"
    assert beside.run(f"{LOOK}\n{first}\n{OWN_APP}before = look()\n{USE}\n{CHECK}") == [{}, []]


WHOLE = {
    "django_shop": """
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
import django
django.setup()
from config import celery_app as app
app.loader.import_default_modules()
""",
    "flask_shop": """
import shop
app = shop.create_app().extensions["celery"]
app.loader.import_default_modules()
""",
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_host_that_loads_it_keeps_its_app_and_its_tasks(host: Callable[..., Host], name: str) -> None:
    after = """
app.finalize(auto=True)
before = look()
{use}
own = sorted(name for name in app.tasks if not name.startswith("celery."))
print(json.dumps([differences(before, look()), celery.current_app.main, app.conf.broker_url, own]))
"""
    with host(name) as found:
        changed, current, broker, own = found.run(LOOK + WHOLE[name] + after.format(use=USE))
    assert changed == {} and current == name and broker == found.environment["SHOP_BROKER_URL"]
    assert (
        own
        == {
            "django_shop": ["tasks.catch_up", "tasks.message_ended"],
            "flask_shop": ["shop.message_ended"],
        }[name]
    )


GREENLETS = f"""
from gevent import monkey
monkey.patch_all()
import json, gevent
from interakt_jobs import send_text
begun = at_once = 0
def enqueue(number):
    global begun, at_once
    begun += 1
    at_once = max(at_once, begun)
    jobs = [send_text.delay({{**{TEXT}, "callbackData": f"{{number}}-{{at}}"}}) for at in range(5)]
    answers = [job.get(timeout=60) for job in jobs]
    assert {{answer["status"] for answer in answers}} == {{201}}
    begun -= 1
    return [job.id for job in jobs], [answer["id"] for answer in answers]
send_text.delay({TEXT})
greenlets = [gevent.spawn(enqueue, number) for number in range(40)]
gevent.joinall(greenlets, raise_error=True)
many = gevent.spawn(lambda: list(send_text.delay_many([{TEXT}] * 250, lane="normal"))).get()
ids, answers = zip(*(greenlet.value for greenlet in greenlets))
print(json.dumps([len(set(sum(ids, []))), len(set(sum(answers, []))), len(many), at_once]))
"""


def test_greenlets_enqueue_and_wait_beside_each_other(host: Callable[..., Host]) -> None:
    with host("flask_shop") as found:
        jobs, answers, many, at_once = found.run(GREENLETS)
    assert (jobs, answers, many) == (200, 200, 250)
    assert at_once == 40, "each goes on while the others wait"
