"""One running campaign as the feeder sees it: whether it may go on, who is next, and what they are sent."""

from __future__ import annotations

import json
import logging
import time
from datetime import datetime

from interakt_jobs import send_template
from interakt_jobs.ledger.record import group_of
from interakt_jobs.recipient import recipient_hash
from schemas.phones import split
from worker.campaigns.definition.definition import Definition, read
from worker.campaigns.planning.windows import Windows
from worker.campaigns.recipients.rows import Recipient
from worker.campaigns.store import recipient_state
from worker.campaigns.store.store import CHUNK, CampaignStore
from worker.ledger.work_ledger import WorkLedger

from . import control, stops
from .progress import finished, next_pace
from .registration import NotRegistered, registered
from .rounds import go_on

log = logging.getLogger(__name__)
CLOSING_SECONDS = 2.0
FIELDS = ("interakt_id", "registrations", "base", "pace", "waits", "opening", "turned_at")
OPENING_SECONDS = 60.0


class RunningCampaign:
    """What is kept between two looks: the definition, the zones, and the one block that is being enqueued."""

    def __init__(self, store: CampaignStore) -> None:
        meta = store.meta()
        self.definition: Definition = read(json.loads(meta["definition"]))
        self.zones: list[str] = json.loads(meta["zones"])
        self.windows = Windows(self.definition.rules)
        self.interakt_id = meta.get("interakt_id", "")
        self._block = -1
        self._people: list[Recipient] = []
        message = self.definition.template
        self.group = group_of({"template": {"name": message.name, "languageCode": message.language}})
        self._opening = ("", 0.0)

    def look(self, ledger: WorkLedger, store: CampaignStore, now: datetime) -> bool:
        """Keep the pace, stop the campaign where it must, register it; whether it may be enqueued now."""
        values = store.link.command("HMGET", store.key("meta"), *FIELDS)
        facts = {name: value.decode() if value else "" for name, value in zip(FIELDS, values, strict=True)}
        counts, seconds = store.counts(), now.timestamp()
        pace = next_pace(facts["pace"], finished(counts), seconds)
        if pace != facts["pace"]:
            self._note(store, "pace", pace)
        why = stops.too_many(self.definition.rules.stop, counts, json.loads(facts["base"] or "{}"))
        why = why or self._paused(store, seconds * 1000)
        if why:
            self._pause(store, why)
            return False
        self._finish_round(store, facts["opening"], seconds)
        schedule = self.definition.schedule
        if schedule.end and now >= schedule.end:
            store.close("skipped", "after_end")
            return False
        if not counts.get("planned"):
            return False
        waits = ""
        if schedule.start and now < schedule.start:
            waits = f"starts at {schedule.start.isoformat()}"
        elif not self._registered(ledger, store, facts):
            waits = "is being registered at Interakt"
        elif not any(self.windows.span(now, zone).open for zone in self._zones_left(store)):
            waits = self._closed(store, now)
        if waits != facts["waits"]:
            self._note(store, "waits", waits)
        return not waits

    def feed(self, store: CampaignStore, most: int, until: float) -> int:
        """Enqueue up to ``most`` recipients whose window is open, before ``until`` (monotonic); returns how many were."""
        now = store.now()
        turns = []
        for block in store.left():
            span = self.windows.span(now, self.zones[block])
            closes = span.until.timestamp() if span.until else 0.0
            if span.open and (not closes or closes - now.timestamp() > CLOSING_SECONDS):
                turns.append((closes or float("inf"), block))
        enqueued = 0
        for closes, block in sorted(turns):
            raw = store.link.command("GET", store.key(f"s:{block}")) or b""
            positions = range(len(raw) // recipient_state.WIDTH)
            planned = [at for at in positions if recipient_state.is_planned(raw, at)]
            while planned and enqueued < most:
                size = min(CHUNK, most - enqueued)
                chunk, planned = planned[:size], planned[size:]
                answer = store.run("feed", *self._arguments(store, block, chunk, closes))
                if answer[0] != b"running":
                    return enqueued
                enqueued += int(answer[1])
                if time.monotonic() > until:
                    return enqueued
            if enqueued >= most:
                break
        return enqueued

    def _arguments(
        self, store: CampaignStore, block: int, chunk: list[int], closes: float
    ) -> list[str | int]:
        definition, rules, end = self.definition, self.definition.rules, self.definition.schedule.end
        options = {"until": int(closes * 1000)} if closes != float("inf") else {}
        if rules.per_person:
            options["capped"] = 1
        arguments: list[str | int] = [
            self.group,
            definition.repeat,
            definition.max_attempts,
            int(end.timestamp() * 1000) if end else 0,
            rules.per_person,
            rules.per_person_days,
            json.dumps(options, separators=(",", ":")) if options else "",
            send_template.name,
            send_template.flags,
        ]
        if self._block != block:
            self._people, self._block = store.block(block), block
        for at in chunk:
            person = self._people[at]
            arguments += (block * 1000 + at, recipient_hash(person.digits), self.payload(person))
        return arguments

    def payload(self, person: Recipient) -> str:
        """One recipient's payload as JSON text."""
        code, national = split(person.digits)
        row = dict(zip(self.definition.value_columns, person.values, strict=True))
        made = self.definition.payload(f"+{code}", national, row, self.interakt_id)
        return json.dumps(made, ensure_ascii=False, separators=(",", ":"))

    def _registered(self, ledger: WorkLedger, store: CampaignStore, facts: dict[str, str]) -> bool:
        self.interakt_id = self.interakt_id or facts["interakt_id"]
        if self.interakt_id:
            return True
        attempt = int(facts["registrations"] or "0")
        try:
            self.interakt_id = registered(ledger, store.campaign, self.definition, attempt)
        except NotRegistered as error:
            self._note(store, "registrations", str(attempt + 1))
            self._pause(store, str(error))
            return False
        if self.interakt_id:
            self._note(store, "interakt_id", self.interakt_id)
        return bool(self.interakt_id)

    def _paused(self, store: CampaignStore, now_ms: float) -> str:
        link = store.link
        state = link.command("HMGET", f"{store.prefix}state", "paused_until", "why", "by_hand")
        group = link.command("HGET", f"{store.prefix}groups", self.group)
        return stops.paused_account(state, now_ms) or stops.paused_template(group, now_ms)

    def _pause(self, store: CampaignStore, why: str) -> None:
        control.pause(store.link, store.account, store.campaign, why)
        extra = {"action": "campaign_stopped", "account": store.account, "campaign": store.campaign}
        log.error("a campaign has stopped itself", extra={**extra, "why": why})

    def _finish_round(self, store: CampaignStore, opening: str, seconds: float) -> None:
        """A round that somebody began and has not ended for a minute is opened whole."""
        if opening != self._opening[0]:
            self._opening = (opening, seconds)
        if opening and seconds - self._opening[1] > OPENING_SECONDS:
            go_on(store)

    def _zones_left(self, store: CampaignStore) -> set[str]:
        return {self.zones[block] for block in store.left()}

    def _closed(self, store: CampaignStore, now: datetime) -> str:
        opens = [self.windows.next_open(now, zone) for zone in self._zones_left(store)]
        known = [moment for moment in opens if moment]
        return f"its windows are closed until {min(known).isoformat()}" if known else "its windows never open"

    def _note(self, store: CampaignStore, field: str, value: str) -> None:
        store.run("note", field, value)
