"""The ledger's connection: it outlives any outage, serves many threads, and speaks over a unix socket."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from interakt_jobs.errors import LedgerUnreachable
from interakt_jobs.ledger.redis_client import RedisClient
from interakt_jobs.ledger.scripts import Script
from sandbox.valkey import Valkey


def test_a_link_answers_again_after_an_outage_of_many_tries(tmp_path: Path) -> None:
    with Valkey(directory=str(tmp_path)) as server:
        link = RedisClient(server.url)
        assert link.command("PING") == b"PONG"
        server.stop()
        for _ in range(150):
            with pytest.raises(LedgerUnreachable):
                link.command("PING")
        server.start()
        assert link.command("PING") == b"PONG"


def test_two_hundred_threads_have_a_connection_each(redis_url: str) -> None:
    link = RedisClient(redis_url, timeout=10)
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
        assert RedisClient(f"{scheme}{tmp_path / 's'}").command("PING") == b"PONG"


@pytest.mark.parametrize("way", ["run", "command", "pipeline"])
def test_a_restart_costs_one_repeat_however_many_connections_were_idle(tmp_path: Path, way: str) -> None:
    with Valkey(directory=str(tmp_path)) as server:
        link = RedisClient(server.url, timeout=10)
        together = threading.Barrier(8)

        def call(_: int) -> object:
            together.wait(30)
            return link.command("BLPOP", "nothing", 0.3, timeout=10)

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(call, range(8))) == [None] * 8
        server.stop()
        server.start()
        if way == "run":
            assert link.run(Script("seven", "return 7", "0" * 40), []) == 7
        elif way == "command":
            assert link.command("PING") == b"PONG"
        else:
            assert link.pipeline([["PING"], ["PING"]]) == [b"PONG", b"PONG"]
        link.close()
