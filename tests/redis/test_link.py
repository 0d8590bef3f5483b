"""The ledger's connection: it outlives any outage, serves many threads, and speaks over a unix socket."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from interakt_jobs.errors import LedgerUnreachable
from interakt_jobs.link import Link
from sandbox.valkey import Valkey


def test_a_link_answers_again_after_an_outage_of_many_tries(tmp_path: Path) -> None:
    with Valkey(directory=str(tmp_path)) as server:
        link = Link(server.url)
        assert link.command("PING") == b"PONG"
        server.stop()
        for _ in range(150):
            with pytest.raises(LedgerUnreachable):
                link.command("PING")
        server.start()
        assert link.command("PING") == b"PONG"


def test_two_hundred_threads_have_a_connection_each(redis_url: str) -> None:
    link = Link(redis_url, timeout=10)
    together = threading.Barrier(200)

    def call(_: int) -> object:
        together.wait(30)
        return link.command("BLPOP", "nothing", 0.5, timeout=10)

    with ThreadPoolExecutor(200) as pool:
        assert list(pool.map(call, range(200))) == [None] * 200
    link.close()


@pytest.mark.parametrize("scheme", ["unix://", "redis+socket://"])
def test_a_unix_socket_is_a_redis_too(tmp_path: Path, scheme: str) -> None:
    with Valkey(directory=str(tmp_path), unixsocket=str(tmp_path / "s")):
        assert Link(f"{scheme}{tmp_path / 's'}").command("PING") == b"PONG"
