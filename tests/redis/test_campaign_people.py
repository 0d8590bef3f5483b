"""The opt-out list and the frequency cap, on a real server."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence

import pytest

from interakt_jobs.ledger.keys import prefix
from interakt_jobs.ledger.redis_client import RedisClient
from interakt_jobs.ledger.scripts import bundle
from interakt_jobs.recipient import recipient_hash
from worker.campaigns.recipients.optout import OptOut

ASHA = recipient_hash("919999999999")
TAKE = """
local frequency = require 'frequency'
local answers = {}
for i = 3, #ARGV do
  answers[#answers + 1] = frequency.take(ARGV[i], tonumber(ARGV[1]), tonumber(ARGV[2])) and 1 or 0
end
answers[#answers + 1] = math.floor(now / 1000)
return answers
"""
GIVE_BACK = """
local frequency = require 'frequency'
for i = 2, #ARGV do frequency.give_back(ARGV[i], tonumber(ARGV[1])) end
"""


class FrequencyCap:
    """The Lua module that the feed script counts with, called for many people at once."""

    def __init__(self, link: RedisClient, account: str, most: int, days: int) -> None:
        self.most, self.days = most, days
        self._link, self._keys = link, [prefix(account)]

    def take(self, hashes: Sequence[str]) -> tuple[list[bool], int]:
        *answers, taken = self._link.run(bundle("take", TAKE), self._keys, self.most, self.days, *hashes)
        return [answer == 1 for answer in answers], int(taken)

    def give_back(self, hashes: Sequence[str], taken: int) -> None:
        self._link.run(bundle("give_back", GIVE_BACK), self._keys, taken, *hashes)


@pytest.fixture
def link(redis_url: str) -> Iterator[RedisClient]:
    found = RedisClient(redis_url)
    yield found
    found.close()


def test_people_opt_out_and_in_again_and_no_number_is_kept(link: RedisClient) -> None:
    optout = OptOut(link, "default")
    assert optout.add("919999999999")
    assert not optout.add("919999999999")
    assert optout.has("919999999999")
    assert optout.check(["919999999999", "919999999998"]) == [True, False]
    assert list(optout.hashes()) == [ASHA]
    assert len(ASHA) == 16
    assert b"9999999999" not in link.command("DUMP", optout.key)
    assert OptOut(link, "other").count() == 0
    assert optout.remove("919999999999")
    assert optout.count() == 0


def test_who_was_kept_by_a_form_that_whatsapp_writes_is_still_out(link: RedisClient) -> None:
    """Releases before the forms were equal kept the hash of the digits as they came."""
    optout = OptOut(link, "default")

    def kept(digits: str) -> None:
        link.command("SADD", optout.key, hashlib.sha256(digits.encode()).hexdigest()[:16])

    for digits in ("5215512345678", "551188887777", "541155555555", "919999999999"):
        kept(digits)
    people = ["525512345678", "5511988887777", "5491155555555", "919999999999", "525512345679"]
    assert optout.check(people) == [True, True, True, True, False]
    assert set(optout.hashes()) == {recipient_hash(digits) for digits in people[:4]}
    kept("5215512345670")
    assert not optout.add("525512345670")
    kept("5215512345671")
    assert optout.remove("525512345671")
    assert not optout.has("5215512345671")


def test_people_are_added_by_the_thousand_and_counted(link: RedisClient) -> None:
    optout = OptOut(link, "default")
    people = [f"9199999{at:05d}" for at in range(2500)]
    assert optout.add_all([*people, people[0]]) == (2500, 2501)
    assert optout.add_all(people[:10]) == (0, 10)
    assert len(set(optout.hashes())) == optout.count() == 2500
    assert OptOut(link, "other").add_hashes(optout.hashes()) == 2500


def test_nobody_gets_more_than_the_cap_however_many_ask_at_once(link: RedisClient) -> None:
    cap, granted = FrequencyCap(link, "default", 3, 7), []

    def ask() -> None:
        for _ in range(20):
            granted.extend(cap.take([ASHA])[0])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sum(granted), len(granted)) == (3, 80)
    assert cap.take([recipient_hash("919999999998")])[0] == [True]


def test_what_was_never_sent_is_given_back(link: RedisClient) -> None:
    cap = FrequencyCap(link, "default", 1, 7)
    answers, taken = cap.take([ASHA])
    assert (answers, cap.take([ASHA])[0]) == ([True], [False])
    cap.give_back([ASHA], taken)
    cap.give_back([ASHA], taken)
    assert [cap.take([ASHA])[0], cap.take([ASHA])[0]] == [[True], [False]]


def test_counts_of_earlier_days_are_seen_and_older_ones_are_not(link: RedisClient) -> None:
    day = int(link.command("TIME")[0]) // 86_400
    member = bytes.fromhex(ASHA[3:15])
    cap = FrequencyCap(link, "default", 2, 7)
    link.command("HSET", f"{prefix('default')}freq:{day - 8}:{ASHA[:3]}", member, 2)
    link.command("HSET", f"{prefix('default')}freq:{day - 7}:{ASHA[:3]}", member, 1)
    assert [cap.take([ASHA])[0], cap.take([ASHA])[0]] == [[True], [False]]


def test_counts_go_by_themselves_and_are_packed(link: RedisClient) -> None:
    cap = FrequencyCap(link, "default", 1, 7)
    for start in range(0, 20_000, 1000):
        cap.take([recipient_hash(f"9199999{at:05d}") for at in range(start, start + 1000)])
    keys = link.command("KEYS", f"{prefix('default')}freq:*")
    assert len(keys) <= 4096
    assert {link.command("OBJECT", "ENCODING", key) for key in keys[:50]} == {b"listpack"}
    assert all(7 * 86_400 < link.command("TTL", key) <= 9 * 86_400 for key in keys[:50])


def test_a_longer_window_keeps_the_counts_that_a_shorter_one_made(link: RedisClient) -> None:
    FrequencyCap(link, "default", 5, 1).take([ASHA])
    FrequencyCap(link, "default", 5, 30).take([ASHA])
    FrequencyCap(link, "default", 5, 1).take([ASHA])
    (key,) = link.command("KEYS", f"{prefix('default')}freq:*")
    assert link.command("TTL", key) > 31 * 86_400
    assert FrequencyCap(link, "default", 3, 30).take([ASHA])[0] == [False]


def test_no_cap_counts_nothing(link: RedisClient) -> None:
    assert FrequencyCap(link, "default", 0, 7).take([ASHA])[0] == [True]
    assert link.command("KEYS", "*") == []
