"""``delay_many`` works in pieces, one under way while the next is checked; nobody needs to know."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from redis import Redis

from interakt_jobs import Accepted, configure, send_text
from interakt_jobs.batch import PIECE
from interakt_jobs.errors import LedgerFull
from interakt_jobs.ledger.keys import prefix

TEXT = {"countryCode": "+91", "phoneNumber": "9999999999", "type": "Text", "data": {"message": "hello"}}


class Trap(dict[str, Any]):
    """A payload that does something when it is checked."""

    def __init__(self, action: Callable[[], object]) -> None:
        super().__init__(TEXT)
        self.action = action

    def items(self) -> Any:
        self.action()
        return super().items()


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    configure(redis_url, allow_unregistered=True)
    with Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


def taken(found: Iterator[Accepted], into: list[Accepted]) -> None:
    for item in found:
        into.append(item)


def test_what_was_accepted_before_redis_was_full_is_told_before_the_error(redis: Redis) -> None:
    full = Trap(lambda: redis.hset(f"{prefix('default')}state", "full", "all"))
    payloads: list[Any] = [dict(TEXT) for _ in range(3 * PIECE)]
    payloads[2 * PIECE] = full  # checked while the second piece is under way or accepted
    told: list[Accepted] = []
    with pytest.raises(LedgerFull):
        taken(send_text.delay_many(payloads), told)
    kept = redis.zrange(f"{prefix('default')}ready:bulk", 0, -1)
    assert PIECE <= len(told) == len(kept) <= 2 * PIECE
    assert {item.job.job_key for item in told if item.job} == set(kept)


def test_what_was_accepted_before_a_payload_broke_the_check_is_told(redis: Redis) -> None:
    def broken() -> None:
        raise RuntimeError

    told: list[Accepted] = []
    with pytest.raises(RuntimeError):
        taken(send_text.delay_many([*(dict(TEXT) for _ in range(PIECE)), Trap(broken)]), told)  # type: ignore[misc]
    assert len(told) == PIECE == redis.zcard(f"{prefix('default')}ready:bulk")


def test_items_come_back_in_order_with_their_mistakes_among_them(redis: Redis) -> None:
    payloads: list[Any] = [dict(TEXT) for _ in range(2 * PIECE + 7)]
    payloads[3] = {"phoneNumber": 9}
    payloads[PIECE + 5] = (dict(TEXT), "first")
    payloads[PIECE + 6] = (dict(TEXT), "first")
    payloads[PIECE + 7] = (TEXT | {"phoneNumber": "9999999998"}, "first")
    told = list(send_text.delay_many(payloads, chunk=PIECE * 2))
    assert [item.position for item in told] == list(range(len(payloads)))
    assert [item.position for item in told if item.error] == [3, PIECE + 7]
    same = told[PIECE + 6]
    assert not same.new and same.job == told[PIECE + 5].job
    assert redis.zcard(f"{prefix('default')}ready:bulk") == len(payloads) - 3
