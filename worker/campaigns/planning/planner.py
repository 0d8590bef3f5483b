"""Planning: recipients are written to Redis once, as blocks; after that the plan does not change.

A campaign stays ``planning`` until its last block is written, and nothing sends one that is. After a crash
the same id is planned again from the start: what the crash has left is removed by the first call.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from interakt_jobs.ledger.redis_client import RedisClient
from schemas.phones import split
from worker.campaigns.definition.definition import Definition
from worker.campaigns.definition.errors import CampaignError, PlanTaken
from worker.campaigns.recipients.optout import OptOut
from worker.campaigns.recipients.reader import Nothing, RecipientReader
from worker.campaigns.recipients.rows import Recipient, Rejected
from worker.campaigns.recipients.sources import Source
from worker.campaigns.store import blocks, recipient_state
from worker.campaigns.store.store import CampaignStore

_MOST_OPEN = 50_000
_SAMPLE = 3


@dataclass
class Tally:
    """The result of reading a list. ``countries`` is by calling code (``91``), ``zones`` by time zone."""

    recipients: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    countries: Counter[str] = field(default_factory=Counter)
    zones: Counter[str] = field(default_factory=Counter)
    sample: list[Recipient] = field(default_factory=list)
    nothing: Nothing = field(default_factory=Nothing)

    def add(self, person: Recipient) -> None:
        self.recipients += 1
        self.countries[split(person.digits)[0]] += 1
        self.zones[person.zone] += 1
        if len(self.sample) < _SAMPLE:
            self.sample.append(person)


def survey(
    definition: Definition, source: Source, optout: OptOut, reject: Callable[[Rejected], None] | None = None
) -> Tally:
    """Go through a list without planning it: what a dry run needs. Raises ``CampaignError``, ``OSError``."""
    rows, tally = _read(definition, source, optout)
    for person in _people(rows, reject):
        tally.add(person)
    return tally


def plan(
    link: RedisClient,
    definition: Definition,
    campaign: str,
    source: Source,
    reject: Callable[[Rejected], None] | None = None,
    accept: Callable[[Tally], None] = lambda tally: None,
) -> Tally:
    """Plan a campaign; ``reject`` is called with each rejected row; ``accept`` with the tally, and may raise to refuse it.

    Raises ``CampaignError`` (columns, or a campaign planned already), ``PlanTaken`` when another process
    plans the same one, ``OSError`` and ``LedgerUnreachable``; after any of them nothing is sent, and it may
    be planned again.
    """
    rows, tally = _read(definition, source, OptOut(link, definition.account))
    writer = _Writer(CampaignStore(link, definition.account, campaign), definition, rows.columns.own)
    for person in _people(rows, reject):
        tally.add(person)
        writer.add(person)
    accept(tally)
    writer.end(tally)
    return tally


def _read(definition: Definition, source: Source, optout: OptOut) -> tuple[RecipientReader, Tally]:
    rows = RecipientReader(definition, source, optout.check if optout.count() else None)
    return rows, Tally(rejected=rows.rejected, nothing=rows.nothing)


def _people(rows: RecipientReader, reject: Callable[[Rejected], None] | None) -> Iterator[Recipient]:
    for row in rows:
        if isinstance(row, Recipient):
            yield row
        elif reject:
            reject(row)


class _Writer:
    """Sorts recipients into one open block per time zone, and writes each block when it is full."""

    def __init__(self, store: CampaignStore, definition: Definition, own: tuple[str, ...]) -> None:
        self.store, self.token = store, secrets.token_hex(8)
        self._open: dict[str, list[Recipient]] = {}
        self._waiting, self._zones = 0, list[str]()
        self._digest = hashlib.sha256(definition.source.encode())
        facts = ("name", definition.name, "definition", definition.source, "own", json.dumps(own))
        answer = store.run("plan_begin", self.token, *facts)[0].decode()
        if answer != "begun":
            raise CampaignError({"": f"campaign {store.campaign} is {answer}: it cannot be planned again"})

    def add(self, person: Recipient) -> None:
        block = self._open.setdefault(person.zone, [])
        block.append(person)
        self._waiting += 1
        if len(block) == blocks.SIZE:
            self._write(person.zone)
        elif self._waiting >= _MOST_OPEN:
            self._write(max(self._open, key=lambda zone: len(self._open[zone])))

    def end(self, tally: Tally) -> None:
        for zone in sorted(self._open):
            self._write(zone)
        facts = (
            *("zones", json.dumps(self._zones)),
            *("rejected", json.dumps(dict(tally.rejected))),
            *("countries", json.dumps(dict(tally.countries))),
            *("version", self._digest.hexdigest()[:16]),
        )
        if not self.store.run("plan_end", self.token, tally.recipients, *facts):
            raise PlanTaken(f"campaign {self.store.campaign} is being planned by another process")

    def _write(self, zone: str) -> None:
        people = self._open.pop(zone)
        self._waiting -= len(people)
        blob = blocks.pack(people)
        self._digest.update(blob)
        number, size = len(self._zones), len(people) * recipient_state.WIDTH
        self._zones.append(zone)
        if not self.store.run("plan_block", self.token, number, blob, size, blocks.pack_own(people)):
            raise PlanTaken(f"campaign {self.store.campaign} is being planned by another process")
