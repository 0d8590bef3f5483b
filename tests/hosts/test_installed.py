"""The wheel in a fresh environment: names stay the host's own, pytest finds the fixture, importing loads little."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from .environments import ROOT
from .host import Host

TEXT = '{"countryCode": "+91", "phoneNumber": "9999999999", "data": {"message": "hello"}}'
OWN_NAMES = """
import json, os
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
import interakt_jobs
import django
django.setup()
import celery, config, tasks
config.celery_app.loader.import_default_modules()
own = sorted(name for name in config.celery_app.tasks if not name.startswith("celery."))
print(json.dumps([config.__file__, tasks.__file__, tasks.message_ended.app.main, celery.current_app.conf.broker_url, own]))
"""
NO_CELERY = f"""
import json, threading
import interakt_jobs, interakt_jobs.testing
status = interakt_jobs.send_text.delay({TEXT}).get(timeout=60)["status"]
import celery
print(json.dumps([status, celery._state.default_app, threading.active_count()]))
"""
SHOP_TEST = f"""
from interakt_jobs import send_text

def test_it_is_recorded(interakt_outbox):
    send_text.delay({TEXT}, idempotency_key="one")
    assert interakt_outbox[0].operation == "send_text" and len(interakt_outbox) == 1

def test_the_next_test_begins_anew(interakt_outbox):
    assert len(interakt_outbox) == 0
"""
IMPORT = """
import json, sys
from celery import Celery
import redis
before = set(sys.modules)
import interakt_jobs
loaded = set(sys.modules) - before
packages = {name.partition(".")[0] for name in loaded} - {name.partition(".")[0] for name in before}
print(json.dumps([len(loaded), sorted(packages - sys.stdlib_module_names)]))
"""


def test_a_projects_own_tasks_and_config_are_its_own(host: Callable[..., Host]) -> None:
    with host("django_shop") as found:
        shop = ROOT / "examples" / "django_shop"
        assert found.run(OWN_NAMES) == [
            str(shop / "config" / "__init__.py"),
            str(shop / "tasks.py"),
            "django_shop",
            found.environment["SHOP_BROKER_URL"],
            ["tasks.catch_up", "tasks.message_ended"],
        ]


def test_a_host_without_a_celery_of_its_own_gets_none(host: Callable[..., Host]) -> None:
    with host("fastapi_shop") as found:
        assert found.run(NO_CELERY) == [201, None, 1]


def test_a_hosts_tests_record_without_a_redis(host: Callable[..., Host], tmp_path: Path) -> None:
    (tmp_path / "test_shop.py").write_text(SHOP_TEST)
    with host("fastapi_shop") as found:
        done = subprocess.run(
            [found.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", tmp_path],
            env={"PATH": found.environment["PATH"]},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
        )
    assert done.returncode == 0 and "2 passed" in done.stdout, done.stdout + done.stderr


def test_importing_loads_little_beside_celery_and_redis(host: Callable[..., Host]) -> None:
    with host("fastapi_shop") as found:
        modules, packages = found.run(IMPORT)
    assert modules <= 60 and packages == ["interakt_jobs"]
