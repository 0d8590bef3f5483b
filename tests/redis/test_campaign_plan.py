"""Planning into a real server: what is stored, what a crash leaves, slots that Lua and Python both read."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from interakt_jobs.ledger.keys import prefix
from interakt_jobs.ledger.recipient_numbers import REASONS, STATE
from interakt_jobs.ledger.redis_client import RedisClient
from interakt_jobs.ledger.scripts import Script, bundle
from worker.campaigns.definition.definition import Definition, read
from worker.campaigns.definition.errors import CampaignError, NoSuchCampaign, PlanTaken
from worker.campaigns.planning.planner import plan, survey
from worker.campaigns.recipients.optout import OptOut
from worker.campaigns.recipients.rows import Recipient
from worker.campaigns.recipients.sources import Dicts
from worker.campaigns.running import control
from worker.campaigns.running.run_campaign import run_campaign
from worker.campaigns.store import blocks, recipient_state
from worker.campaigns.store.recipient_state import RecipientState
from worker.campaigns.store.store import CampaignStore, campaigns, mint_id

from .recipient_states import pack, state_of

CID = "c00000001"
NAMES = ("Asha", "Venkatesh")


@pytest.fixture
def link(redis_url: str) -> Iterator[RedisClient]:
    found = RedisClient(redis_url)
    yield found
    found.close()


def definition() -> Definition:
    return read({"name": "Diwali", "template": {"name": "diwali_offer", "body": ["{name}"]}})


def rows(count: int, start: int = 0) -> list[dict[str, Any]]:
    return [{"phone": f"99999{at:05d}", "name": f"N{at}"} for at in range(start, start + count)]


def store(link: RedisClient) -> CampaignStore:
    return CampaignStore(link, "default", CID)


def lua(text: str) -> Script:
    return bundle("test", "local recipient_state = require 'recipient_state'\n" + text)


def keys(link: RedisClient) -> set[str]:
    return {key.decode() for key in link.command("KEYS", "*")}


def test_a_plan_keeps_every_recipient_once_with_an_empty_outcome(link: RedisClient) -> None:
    mixed = [*rows(1500), {"phone": "+14155550123", "name": "Jo"}, *rows(3, 1000)]
    tally = plan(link, definition(), CID, Dicts(mixed))
    assert (tally.recipients, dict(tally.rejected)) == (1501, {"duplicate": 3})
    assert dict(tally.countries) == {"91": 1500, "1": 1}
    found = store(link)
    outcomes = list(found.outcomes())
    assert len(outcomes) == 1501
    assert {outcome.recipient_state for outcome in outcomes} == {RecipientState()}
    assert len({outcome.index for outcome in outcomes}) == 1501
    assert {(outcome.recipient.line, outcome.recipient.digits) for outcome in outcomes} >= {
        (1501, "14155550123")
    }
    assert found.counts() == {"planned": 1501}
    assert json.loads(found.meta()["zones"]) == ["Asia/Kolkata", "America/Los_Angeles", "Asia/Kolkata"]
    assert (found.status(), found.meta()["recipients"]) == ("planned", "1501")
    assert found.definition() == definition()
    assert campaigns(link, "default")[0][0] == CID
    assert state_of(found, 1) == RecipientState()
    assert state_of(found, 999_999) is None
    assert all(key.startswith(prefix("default")) for key in keys(link))


def test_a_dry_run_writes_nothing(link: RedisClient) -> None:
    tally = survey(definition(), Dicts(rows(10)), OptOut(link, "default"))
    assert (tally.recipients, len(tally.sample)) == (10, 3)
    assert keys(link) == set()


def test_a_crash_while_planning_leaves_nothing_sendable_and_the_next_attempt_starts_clean(
    link: RedisClient,
) -> None:
    def crashing() -> Iterator[dict[str, Any]]:
        yield from rows(3500)
        raise OSError("the disk went away")

    with pytest.raises(OSError, match="disk"):
        plan(link, definition(), CID, Dicts(crashing()))
    found = store(link)
    assert (found.status(), found.counts()) == ("planning", {})
    assert f"{prefix('default')}c:{CID}:s:2" in keys(link)
    tally = plan(link, definition(), CID, Dicts(rows(1200)))
    assert (tally.recipients, found.status()) == (1200, "planned")
    assert f"{prefix('default')}c:{CID}:s:2" not in keys(link)
    assert sum(1 for _ in found.outcomes()) == 1200


def test_the_same_list_gives_the_same_version_and_another_one_does_not(link: RedisClient) -> None:
    versions = []
    for campaign, count in (("caaaaaaaa", 5), ("cbbbbbbbb", 5), ("ccccccccc", 6)):
        plan(link, definition(), campaign, Dicts(rows(count)))
        versions.append(CampaignStore(link, "default", campaign).meta()["version"])
    assert versions[0] == versions[1] != versions[2]


def test_a_plan_is_frozen(link: RedisClient) -> None:
    plan(link, definition(), CID, Dicts(rows(5)))
    with pytest.raises(CampaignError, match="is planned"):
        plan(link, definition(), CID, Dicts(rows(7)))
    assert store(link).counts() == {"planned": 5}


def test_the_export_gives_the_files_own_columns_back(link: RedisClient) -> None:
    people = [
        {"customer": f"K{at}", **row, "state": "Goa", "note": 'two\nlines, "x"'}
        for at, row in enumerate(rows(1200))
    ]
    plan(link, definition(), CID, Dicts(people))
    found = list(control.export(link, "default", CID))
    assert len(found) == 1200
    for row in found:
        number = int(row["line"]) - 1
        own = (row["customer"], row["name"], row["state (file)"], row["note"])
        assert own == (f"K{number}", people[number]["name"], "Goa", 'two\nlines, "x"')
        assert row["state"] == "planned"
    assert store(link).drop() == "dropped"
    assert not any(":own" in key for key in keys(link))


def test_no_further_columns_are_kept_where_none_are_asked_for(link: RedisClient) -> None:
    campaign = read({**json.loads(definition().source), "recipients": {"keep": []}})
    plan(link, campaign, CID, Dicts([{**row, "customer": "K"} for row in rows(3)]))
    assert f"{prefix('default')}c:{CID}:own" not in keys(link)
    assert "customer" not in next(control.export(link, "default", CID))


def test_a_job_plans_nothing_with_values_that_say_nothing_unless_they_are_allowed(link: RedisClient) -> None:
    people = [*rows(3), {"phone": "9999900007", "name": "NaN"}]
    payload = {"definition": json.loads(definition().source), "recipients": people}
    for _ in range(2):  # nor when it is carried out again
        with pytest.raises(CampaignError, match=r"1 values say nothing: 1 NaN in name \(line 4\)"):
            run_campaign(link, "default", "job", payload, None)
        assert campaigns(link, "default") == []
    payload["definition"]["recipients"] = {"allow_empty_values": True}
    assert run_campaign(link, "default", "job", payload, None)["recipients"] == 4


def test_of_two_planners_the_later_one_wins_and_the_other_hears_of_it(link: RedisClient) -> None:
    def taken_over() -> Iterator[dict[str, Any]]:
        yield from rows(1000)
        plan(link, definition(), CID, Dicts(rows(7)))
        yield from rows(1000, 1000)

    with pytest.raises(PlanTaken):
        plan(link, definition(), CID, Dicts(taken_over()))
    assert store(link).counts() == {"planned": 7}
    assert sum(1 for _ in store(link).outcomes()) == 7


def test_the_opted_out_are_left_out_of_a_plan(link: RedisClient) -> None:
    optout = OptOut(link, "default")
    optout.add("919999900003")
    rejected: list[int] = []
    tally = plan(link, definition(), CID, Dicts(rows(5)), lambda row: rejected.append(row.line))
    assert (tally.recipients, rejected) == (4, [4])


def test_a_campaign_is_dropped_whole(link: RedisClient) -> None:
    plan(link, definition(), CID, Dicts(rows(1200)))
    assert store(link).drop("done") == "planned"
    assert store(link).drop() == "dropped"
    assert store(link).drop() == "missing"
    assert keys(link) == set()
    with pytest.raises(NoSuchCampaign):
        store(link).meta()


def test_ids_are_minted_as_jobs_want_them(link: RedisClient) -> None:
    CampaignStore(link, "default", mint_id())
    with pytest.raises(ValueError, match="an id is c and 8"):
        CampaignStore(link, "default", "c:*")


def test_blocks_read_back_what_was_packed() -> None:
    people = [
        Recipient(at * 3 + 2, f"9199999{at:05d}", (f"अमित {at}", "x"), "Asia/Kolkata") for at in range(1000)
    ]
    assert blocks.unpack(blocks.pack(people)) == people
    bare = [Recipient(9, "919999999999", (), "UTC"), Recipient(4, "919999999998", (), "UTC")]
    assert blocks.unpack(blocks.pack(bare)) == bare
    for broken in (b"", b"x", blocks.pack(people)[:-100]):
        with pytest.raises(ValueError):
            blocks.unpack(broken)


def test_lua_and_python_have_the_same_numbers(link: RedisClient) -> None:
    found = link.run(
        lua(
            "local tables = require 'recipient_numbers' "
            "return cjson.encode({tables.states, tables.reasons, {recipient_state.WIDTH, 1000}})"
        ),
        [prefix("default")],
    )
    assert json.loads(found) == [STATE, REASONS, [recipient_state.WIDTH, blocks.SIZE]]


WRITE = """
local slot = recipient_state.read(ARGV[1], ARGV[2])
local from, reason = slot.state, slot.reason
slot.state, slot.reason = ARGV[3], tonumber(ARGV[4])
slot.round, slot.at = tonumber(ARGV[5]), tonumber(ARGV[6])
slot.provider, slot.digest = recipient_state.provider(ARGV[7])
slot.sent, slot.last = recipient_state.offset(slot, tonumber(ARGV[8])), recipient_state.offset(slot, tonumber(ARGV[9]))
slot.ambiguous = 1
recipient_state.write(ARGV[1], ARGV[2], slot, from, reason)
return 1
"""


def test_what_lua_writes_python_reads_and_the_counts_follow(link: RedisClient) -> None:
    plan(link, definition(), CID, Dicts(rows(1200)))
    found, provider, at = store(link), str(uuid.uuid4()), 1_795_000_000
    script = lua(WRITE)
    arguments = (
        "failed",
        REASONS["marketing_cap"],
        3,
        at,
        provider,
        (at + 2) * 1000 + 7,
        (at + 86_400) * 1000,
    )
    link.run(script, [found.prefix], CID, 1100, *arguments)
    wanted = RecipientState("failed", "marketing_cap", 3, provider, at, at + 2, 0, at + 86_400, True)
    assert state_of(found, 1100) == wanted
    assert [outcome.recipient_state for outcome in found.outcomes() if outcome.index == 1100] == [wanted]
    assert found.counts() == {"planned": 1199, "failed": 1, "failed|marketing_cap": 1}
    link.run(
        script, [found.prefix], CID, 1100, "delivered", 0, 3, at, "an odd id", at * 1000, (at - 50) * 1000
    )
    state = state_of(found, 1100)
    assert state is not None
    assert state.provider_id.startswith("sha1:")
    assert (state.state, state.last) == ("delivered", at)
    assert found.counts() == {"planned": 1199, "delivered": 1}
    assert {state_of(found, at) for at in (1099, 1101, 0, 999)} == {RecipientState()}


ECHO = """
local made = {}
for i = 1, #ARGV do
  redis.call('SET', P .. 'c:x:s:0', ARGV[i])
  local slot = recipient_state.read('x', 0)
  recipient_state.write('x', 0, slot, slot.state, slot.reason)
  made[i] = redis.call('GET', P .. 'c:x:s:0')
end
return made
"""


def test_states_of_both_languages_agree_on_any_value(link: RedisClient) -> None:
    chance = random.Random(11)
    echo = lua(ECHO)
    packed = []
    for _ in range(500):
        at = chance.randrange(1, 2**32 - 2**24)
        packed.append(
            pack(
                RecipientState(
                    chance.choice(list(STATE)),
                    chance.choice(["", *REASONS]),
                    chance.randrange(64),
                    chance.choice(["", str(uuid.UUID(int=chance.getrandbits(128))), "sha1:" + "ab" * 16]),
                    at,
                    chance.choice([0, at + chance.randrange(2**24 - 2)]),
                    chance.choice([0, at]),
                    chance.choice([0, at + 10**6]),
                    chance.random() < 0.5,
                )
            )
        )
    assert link.run(echo, [prefix("default")], *packed) == packed
    assert [pack(recipient_state.unpack(raw)) for raw in packed] == packed


def test_a_recipient_weighs_less_than_64_bytes(link: RedisClient) -> None:
    chance = random.Random(1)
    people = [
        {
            "phone": f"9{number:09d}",
            "name": f"{chance.choice(NAMES)} {chance.randrange(99)}",
            "code": f"{at:06X}",
        }
        for at, number in enumerate(chance.sample(range(10**9), 20_000))
    ]
    campaign = read({"name": "D", "template": {"name": "x", "body": ["{name}", "{code}"]}})
    plan(link, campaign, "cwarmingup", Dicts(people[:10]))
    before = int(link.command("INFO", "memory").partition(b"used_memory:")[2].partition(b"\r")[0])
    plan(link, campaign, CID, Dicts(people))
    after = int(link.command("INFO", "memory").partition(b"used_memory:")[2].partition(b"\r")[0])
    assert (after - before) / 20_000 < 64
