"""Keys: one slot an account, one tag a call; data of the earlier layout is recognised."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis.crc import key_slot

from config.settings import load
from interakt_jobs.ledger.keys import ACCOUNTS, PARTITIONS, prefix
from interakt_jobs.ledger.redis_client import RedisClient
from worker import process
from worker.checks.ledger import examine_data
from worker.ledger.layout import OLD_KEY


@pytest.fixture
def link(redis_url: str) -> Iterator[RedisClient]:
    found = RedisClient(redis_url)
    yield found
    found.close()


def test_all_keys_of_an_account_are_in_one_slot() -> None:
    assert prefix("default") == "{ij1:223}:default:"
    assert key_slot(f"{prefix('default')}ready:bulk".encode()) == key_slot(b"{ij1:223}:default:state")
    slots = {key_slot(prefix(f"brand_{number}").encode()) for number in range(2000)}
    assert PARTITIONS - 10 < len(slots) <= PARTITIONS


def test_a_worker_does_not_start_on_data_of_the_earlier_layout(redis_url: str, link: RedisClient) -> None:
    room = process.Process(load({"REDIS_URL": redis_url, "INTERAKT_API_KEY": "c2FuZGJveC10b2tlbjo="}))
    room.register()
    assert link.command("SMEMBERS", ACCOUNTS) == [b"default"]
    assert not list(examine_data(link))
    link.command("SADD", OLD_KEY, "default")
    with pytest.raises(SystemExit, match=r"earlier release.*status"):
        room.register()
    assert [check.mark for check in examine_data(link)] == ["failure"]
