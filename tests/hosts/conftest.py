"""Once for all hosts: the wheel, their environments, a worker of this checkout, and a broker that is the hosts' own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.stack import Stack
from sandbox.valkey import Valkey

from .environments import HOSTS, build_wheel, start_install
from .host import Host


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built wheel."""
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def pythons(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each host's Python; they are installed side by side."""
    started = {name: start_install(name, wheel, tmp_path_factory.mktemp(name)) for name in HOSTS}
    return {name: finish() for name, finish in started.items()}


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """The hosts' broker; it comes back from its own folder when it was stopped."""
    with Valkey(directory=str(tmp_path_factory.mktemp("broker"))) as server:
        yield server


@pytest.fixture(scope="session")
def worker(broker: Valkey) -> Iterator[Stack]:
    """A Valkey, a sandbox and a worker of this checkout that tells the hosts' broker of ended jobs."""
    env = {"INTERAKT_ON_DONE_BROKER_URL": broker.url, "INTERAKT_CALLS_PER_MINUTE": "60000"}
    with Stack(calls_per_minute=0, env=env) as stack:
        stack.worker()
        stack.wait_for_workers()
        yield stack


@pytest.fixture(scope="session")
def host(
    worker: Stack, broker: Valkey, pythons: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Host]:
    """Makes a host by its name; ``with host("flask_shop") as flask:``."""

    def make(name: str, **settings: Any) -> Host:
        made = Host(name, pythons[name], tmp_path_factory.mktemp("host"), worker.valkey.url, broker.url)
        made.environment |= settings
        return made

    return make
