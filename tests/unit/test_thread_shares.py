"""What one account may take of a process's threads, so that its calls that hang leave some to the others."""

from __future__ import annotations

import random

import pytest

from worker.dispatch import thread_shares
from worker.dispatch.thread_shares import ThreadShares, Turn


def shares(slots: int, accounts: int, urgent: bool = True) -> ThreadShares:
    made = ThreadShares(accounts)
    made.slots, made.urgent = slots, urgent
    return made


def turn(account: str, lane: str = "urgent", came: float = 1e12) -> Turn:
    return Turn(account, lane, ["job_key"], came)


def taken(found: ThreadShares, account: str, lane: str = "urgent", asked: int = 100) -> int:
    return sum(found.take(turn(account, lane)) for _ in range(asked))


@pytest.mark.parametrize(("slots", "most"), [(1, 1), (2, 1), (4, 2), (8, 4), (32, 16), (96, 48)])
def test_calls_that_hang_hold_at_most_half_where_there_are_others(slots: int, most: int) -> None:
    assert taken(shares(slots, 2), "hangs") == most


def test_an_account_that_holds_none_finds_a_thread_while_any_is_idle() -> None:
    found = shares(32, 100)
    assert [taken(found, f"hangs-{number}") for number in range(20)] == [16, 8] + [1] * 8 + [0] * 10


def test_the_last_quarter_takes_only_accounts_that_hold_none() -> None:
    found = shares(8, 3)
    assert taken(found, "first") == 4
    assert taken(found, "second") == 2
    assert taken(found, "second") == 0
    assert taken(found, "third") == 1


def test_an_account_alone_may_have_all() -> None:
    assert taken(shares(8, 1), "only") == 8
    assert taken(shares(8, 1, urgent=False), "only", "bulk") == 8


@pytest.mark.parametrize(("slots", "most"), [(1, 1), (2, 1), (4, 3), (8, 6), (32, 24)])
def test_other_lanes_leave_the_last_quarter_to_urgent(slots: int, most: int) -> None:
    found = shares(slots, 1)
    assert taken(found, "only", "normal") == most
    assert taken(found, "only", "urgent") == slots - most


def test_a_thread_that_ends_goes_on_with_what_waits_and_urgent_first() -> None:
    found = shares(4, 2)
    assert taken(found, "busy", asked=2) == 2 and taken(found, "busy", "normal", asked=1) == 1
    assert not found.take(turn("busy", "normal"))
    assert not found.take(turn("busy"))
    following = found.done(turn("busy"))
    assert following and (following.account, following.lane) == ("busy", "urgent")
    following = found.done(following)
    assert following and following.lane == "normal"
    assert found.done(following) is None


def test_who_holds_more_yields_to_who_waits_with_less() -> None:
    found = shares(8, 3)
    assert taken(found, "busy") == 4 and taken(found, "other", asked=3) == 2
    assert not found.must_yield(turn("other")), "the busy one waits too, but holds more"
    assert found.must_yield(turn("busy"))
    assert not found.must_yield(turn("busy", "bulk"))


def test_what_waited_for_long_is_left_to_the_ledger() -> None:
    found = shares(2, 2)
    assert found.take(turn("busy"))
    assert not found.take(turn("busy", came=-thread_shares.FORGET_SECONDS))
    assert found.done(turn("busy")) is None


@pytest.mark.parametrize("seed", range(20))
def test_threads_are_neither_lost_nor_given_twice(seed: int) -> None:
    chance = random.Random(seed)
    slots, names = chance.randint(1, 16), ["a", "b", "c"]
    found, held = shares(slots, 3, chance.random() < 0.5), list[Turn]()
    for _ in range(500):
        if held and chance.random() < 0.5:
            following = found.done(held.pop(chance.randrange(len(held))))
            held += [following] if following else []
        else:
            asked = turn(chance.choice(names), chance.choice(["urgent", "normal", "bulk"]))
            held += [asked] if found.take(asked) else []
        assert len(held) <= slots
    while held:
        following = found.done(held.pop())
        held += [following] if following else []
    assert taken(found, "a") == max(1, (slots + 1) // 2), "all threads are idle again"
