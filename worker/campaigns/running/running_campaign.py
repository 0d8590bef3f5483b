"""One running campaign as the feeder sees it: whether it may go on, who is next, and what they are sent."""

from __future__ import annotations

import json
import logging
import time

from interakt_jobs import send_template
from interakt_jobs.ledger.record import group_of
from interakt_jobs.recipient import recipient_hash
from schemas.phones import split
from worker.campaigns.definition.definition import Definition, read
from worker.campaigns.planning.windows import Windows
from worker.campaigns.recipients.rows import Recipient
from worker.campaigns.store import recipient_state
from worker.campaigns.store.blocks import SIZE
from worker.campaigns.store.store import CHUNK, CampaignStore
from worker.ledger.work_ledger import WorkLedger

from . import conditions, control
from .progress import finished, next_pace
from .rounds import go_on

log = logging.getLogger(__name__)
CLOSING_SECONDS = 2.0
FIELDS = ("interakt_id", "registrations", "base", "pace", "waits", "opening")
OPENING_SECONDS = 60.0


class RunningCampaign:
    """What is kept between two rounds: the definition, the zones, and the one block that is being enqueued."""

    def __init__(self, store: CampaignStore) -> None:
        self.store, meta = store, store.meta()
        self.definition: Definition = read(json.loads(meta["definition"]))
        self.zones: list[str] = json.loads(meta["zones"])
        self.windows = Windows(self.definition.rules)
        self.interakt_id = meta.get("interakt_id", "")
        message = self.definition.template
        self.group = group_of({"template": {"name": message.name, "languageCode": message.language}})
        self._block, self._people = -1, list[Recipient]()
        self._opening = ("", 0.0)

    def may_enqueue(self, ledger: WorkLedger) -> bool:
        """Note the pace, stop or register the campaign where it must be; whether recipients may be enqueued now."""
        store, now = self.store, self.store.now()
        values = store.link.command("HMGET", store.key("meta"), *FIELDS)
        facts = {name: value.decode() if value else "" for name, value in zip(FIELDS, values, strict=True)}
        counts, seconds = store.counts(), now.timestamp()
        self._note("pace", next_pace(facts["pace"], finished(counts), seconds), facts)
        why = conditions.too_many(self.definition.rules.stop, counts, json.loads(facts["base"] or "{}"))
        if why := why or self._paused(seconds * 1000):
            self._pause(why)
            return False
        self._finish_round(facts["opening"], seconds)
        schedule = self.definition.schedule
        if schedule.end and now >= schedule.end:
            store.close("skipped", "after_end")
            return False
        if not counts.get("planned"):
            return False
        waits = ""
        if schedule.start and now < schedule.start:
            waits = f"starts at {schedule.start.isoformat()}"
        elif not self._registered(ledger, facts):
            waits = "is being registered at Interakt"
        else:
            zones = {self.zones[block] for block in store.left()}
            if not any(self.windows.span(now, zone).open for zone in zones):
                opens = [moment for zone in zones if (moment := self.windows.next_open(now, zone))]
                until = f"are closed until {min(opens).isoformat()}" if opens else "never open"
                waits = f"its windows {until}"
        self._note("waits", waits, facts)
        return not waits

    def enqueue(self, most: int, until: float) -> int:
        """Enqueue up to ``most`` recipients whose window is open, before ``until`` (monotonic); returns how many were."""
        enqueued = 0
        for closes, block in self._open_blocks():
            raw = self.store.link.command("GET", self.store.key(f"s:{block}")) or b""
            positions = range(len(raw) // recipient_state.WIDTH)
            planned = [at for at in positions if recipient_state.is_planned(raw, at)]
            while planned and enqueued < most:
                size = min(CHUNK, most - enqueued)
                chunk, planned = planned[:size], planned[size:]
                answer = self.store.run("enqueue", *self._arguments(block, chunk, closes))
                if answer[0] != b"running":
                    return enqueued
                enqueued += int(answer[1])
                if time.monotonic() > until:
                    return enqueued
            if enqueued >= most:
                break
        return enqueued

    def _open_blocks(self) -> list[tuple[float, int]]:
        """The blocks whose window is open, with the time (s, or infinity) when it closes; the first to close come first."""
        now, found = self.store.now(), []
        for block in self.store.left():
            span = self.windows.span(now, self.zones[block])
            closes = span.until.timestamp() if span.until else float("inf")
            if span.open and closes - now.timestamp() > CLOSING_SECONDS:
                found.append((closes, block))
        return sorted(found)

    def _arguments(self, block: int, chunk: list[int], closes: float) -> list[str | int]:
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
            self._people, self._block = self.store.block(block), block
        for at in chunk:
            person = self._people[at]
            arguments += (block * SIZE + at, recipient_hash(person.digits), self._payload(person))
        return arguments

    def _payload(self, person: Recipient) -> str:
        code, national = split(person.digits)
        row = dict(zip(self.definition.value_columns, person.values, strict=True))
        made = self.definition.payload(f"+{code}", national, row, self.interakt_id)
        return json.dumps(made, ensure_ascii=False, separators=(",", ":"))

    def _registered(self, ledger: WorkLedger, facts: dict[str, str]) -> bool:
        self.interakt_id = self.interakt_id or facts["interakt_id"]
        if not self.interakt_id:
            attempt = int(facts["registrations"] or "0")
            try:
                self.interakt_id = conditions.registered(
                    ledger, self.store.campaign, self.definition, attempt
                )
            except conditions.NotRegistered as error:
                self._note("registrations", str(attempt + 1), facts)
                self._pause(str(error))
            self._note("interakt_id", self.interakt_id, facts)
        return bool(self.interakt_id)

    def _paused(self, now_ms: float) -> str:
        link, prefix = self.store.link, self.store.prefix
        state = link.command("HMGET", f"{prefix}state", "paused_until", "why", "by_hand")
        group = link.command("HGET", f"{prefix}groups", self.group)
        return conditions.paused_account(state, now_ms) or conditions.paused_template(group, now_ms)

    def _pause(self, why: str) -> None:
        store = self.store
        control.pause(store.link, store.account, store.campaign, why)
        extra = {"action": "campaign_stopped", "account": store.account, "campaign": store.campaign}
        log.error("a campaign has stopped itself", extra={**extra, "why": why})

    def _finish_round(self, opening: str, seconds: float) -> None:
        """Open a round whole that somebody began and has not finished for a minute."""
        if opening != self._opening[0]:
            self._opening = (opening, seconds)
        if opening and seconds - self._opening[1] > OPENING_SECONDS:
            go_on(self.store)

    def _note(self, field: str, value: str, facts: dict[str, str]) -> None:
        if value != facts[field]:
            self.store.run("note", field, value)
