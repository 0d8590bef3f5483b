"""Fixtures that every folder of tests shares: a clean environment and a real Valkey server."""

from __future__ import annotations

import os
import socket
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from interakt_jobs.pytest_plugin import interakt_outbox  # noqa: F401  as pytest finds it when it is installed
from sandbox.valkey import Valkey
from tests.tls import make_certificate

ROOT = Path(__file__).resolve().parent
LONGEST_FIRST = ("system/test_chaos_short.py", "hosts", "system/test_schedules.py", "system", "redis", "")
OURS = ("INTERAKT_", "REDIS_URL", "SENTRY_", "CELERY_", "DJANGO_", "PROMETHEUS_")


class ByFile(LoadScopeScheduling):
    """A file's tests, which share servers, run in one process; so do all of tests/hosts, which share environments."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "tests/hosts" if file.startswith("tests/hosts/") else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    return ByFile(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With several processes the longest files first."""
    if hasattr(config, "workerinput"):
        places = {item: item.path.relative_to(ROOT).as_posix() for item in items}
        items.sort(
            key=lambda item: next(n for n, part in enumerate(LONGEST_FIRST) if places[item].startswith(part))
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Halves of surrogates, which tests log on purpose, could not be told from one process to another."""
    report = yield
    report.sections = [(name, text.encode(errors="replace").decode()) for name, text in report.sections]
    return report


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of ours leaks from the machine into a test."""
    for name in list(os.environ):
        if name.startswith(OURS) and name != "INTERAKT_TEST_REDIS_SERVER":
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def valkey() -> Iterator[Valkey]:
    """One real server for the whole run."""
    with Valkey() as server:
        yield server


@pytest.fixture
def redis_url(valkey: Valkey) -> str:
    """The URL of an emptied database."""
    with socket.create_connection(("127.0.0.1", valkey.port), 5) as sock:
        sock.sendall(b"FLUSHALL\r\n")
        sock.recv(64)
    return valkey.url


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that nobody else has signed, with ``key.pem`` beside it."""
    return make_certificate(tmp_path)
