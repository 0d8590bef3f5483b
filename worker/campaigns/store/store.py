"""A campaign in Redis, under ``{ij1:<partition>}:<account>:``: ``campaigns`` (zset id -> created ms), and per campaign

``c:<id>:meta``    hash: status, definition (canonical JSON), version, recipients, blocks, zones, rejected
``c:<id>:blocks``  hash: block number -> compressed recipients (blocks.py)
``c:<id>:own``     hash: block number -> the rows' further columns, for the export
``c:<id>:s:<n>``   string: the state of each recipient of block n (recipient_state.py)
``c:<id>:count``   hash: recipients by state, and by ``state|reason number``
``c:<id>:left``    hash: block number -> how many of it are planned
``c:<id>:enqueued``     set: indexes of those whose job is in the ledger
``campaigns_on``   set of ids: those that the feeder looks at
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from interakt_jobs.ledger.keys import account_name, prefix
from interakt_jobs.ledger.recipient_numbers import REASON_NAMES, REASONS
from interakt_jobs.ledger.redis_client import RedisClient
from interakt_jobs.ledger.scripts import Script, load
from worker.campaigns.definition.definition import Definition, read
from worker.campaigns.definition.errors import BadCampaignId, NoSuchCampaign
from worker.campaigns.recipients.rows import Recipient

from . import blocks, recipient_state
from .recipient_state import RecipientState

CHUNK = 50
_ID = re.compile(r"c[a-z0-9]{8,16}\Z")
REMOVABLE = "planning,planned,done,cancelled"


def mint_id() -> str:
    """A new campaign's id: ``c`` and 12 lower-case hex digits."""
    return "c" + secrets.token_hex(6)


@cache
def script(name: str) -> Script:
    """A script of ``store/lua/calls``."""
    return load(name, "worker/campaigns/store/lua/calls", "worker/campaigns/store/lua", "worker/ledger/lua")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One recipient and their state; ``index`` is the last part of the job's id."""

    index: int
    recipient: Recipient
    recipient_state: RecipientState


class CampaignStore:
    """One campaign's keys. Nothing here holds more than one block of recipients in memory."""

    def __init__(self, link: RedisClient, account: str, campaign: str) -> None:
        if not _ID.match(campaign):
            raise BadCampaignId
        self.link, self.account, self.campaign = link, account_name(account), campaign
        self.prefix = prefix(account)
        self._base = f"{self.prefix}c:{campaign}"

    def key(self, name: str) -> str:
        """The key of one of the campaign's parts, such as ``enqueued``."""
        return f"{self._base}:{name}"

    def run(self, name: str, *arguments: str | bytes | int | float) -> Any:
        """Run a script of ``store/lua/calls`` on this campaign."""
        return self.link.run(script(name), [self.prefix], self.campaign, *arguments)

    def now(self) -> datetime:
        """The time of Redis."""
        seconds, microseconds = self.link.command("TIME")
        return datetime.fromtimestamp(int(seconds) + int(microseconds) / 1e6, UTC)

    def _hash(self, name: str) -> dict[str, str]:
        flat = self.link.command("HGETALL", self.key(name))
        return {flat[at].decode(): flat[at + 1].decode() for at in range(0, len(flat), 2)}

    def meta(self) -> dict[str, str]:
        """The campaign's facts; raises ``NoSuchCampaign``."""
        meta = self._hash("meta")
        if not meta:
            raise NoSuchCampaign(f"no campaign {self.campaign} in the account {self.account}")
        return meta

    def status(self) -> str:
        """planning, planned, running, paused, done or cancelled; empty when there is no such campaign."""
        found = self.link.command("HGET", f"{self._base}:meta", "status")
        return found.decode() if found else ""

    def definition(self) -> Definition:
        """The definition as it was frozen; raises ``NoSuchCampaign``."""
        return read(json.loads(self.meta()["definition"]))

    def block(self, number: int) -> list[Recipient]:
        """The recipients from ``number * 1000`` on; raises ``NoSuchCampaign`` if the plan has no such block."""
        blob = self.link.command("HGET", f"{self._base}:blocks", number)
        if blob is None:
            raise NoSuchCampaign(f"campaign {self.campaign} has no block {number}")
        return blocks.unpack(blob)

    def counts(self) -> dict[str, int]:
        """Recipients by state, and by ``state|reason``."""
        found = {}
        for name, count in self._hash("count").items():
            state, _, reason = name.partition("|")
            if number := int(count):
                found[f"{state}|{REASON_NAMES.get(int(reason), reason)}" if reason else state] = number
        return found

    def left(self) -> dict[int, int]:
        """How many recipients of each block are planned; blocks with nobody left are left out."""
        return {int(block): int(count) for block, count in self._hash("left").items() if int(count) > 0}

    def enqueued(self) -> int:
        """How many have a job in the ledger."""
        return int(self.link.command("SCARD", f"{self._base}:enqueued"))

    def outcomes(self) -> Iterator[Outcome]:
        """Every recipient with their state, block by block."""
        for number in range(int(self.meta().get("blocks", "0"))):
            people = self.block(number)
            raw = self.link.command("GET", f"{self._base}:s:{number}") or b""
            kept = self.link.command("HGET", f"{self._base}:own", number)
            own = blocks.unpack_own(kept) if kept else []
            for position, person in enumerate(people):
                person = person._replace(own=own[position]) if own else person
                yield Outcome(number * blocks.SIZE + position, person, recipient_state.unpack(raw, position))

    def withdraw(self) -> int:
        """Put the recipients of enqueued jobs that have not started back to planned; returns how many.

        In a cancelled campaign they become ``cancelled``. Those that may have been sent keep waiting for their outcome.
        """
        enqueued = [int(member) for member in self.link.command("SMEMBERS", self.key("enqueued"))]
        chunks = (enqueued[at : at + CHUNK] for at in range(0, len(enqueued), CHUNK))
        return sum(int(self.run("withdraw", *chunk)) for chunk in chunks)

    def close(self, state: str, reason: str = "") -> int:
        """Change everybody who is still planned to ``state`` (``cancelled`` or ``skipped``); returns how many."""
        number = REASONS[reason] if reason else 0
        return sum(int(self.run("close", block, state, number)) for block in self.left())

    def drop(self, statuses: str = REMOVABLE) -> str:
        """Remove the campaign: ``dropped``, ``missing``, or the status that forbids it."""
        return str(self.run("remove", statuses)[0].decode())


def campaigns(link: RedisClient, account: str, most: int = 1000) -> list[tuple[str, int]]:
    """The account's campaigns, newest first: id and creation in ms since the epoch."""
    found: list[Any] = link.command("ZRANGE", f"{prefix(account)}campaigns", 0, most - 1, "REV", "WITHSCORES")
    return [(found[at].decode(), int(float(found[at + 1]))) for at in range(0, len(found), 2)]
