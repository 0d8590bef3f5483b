"""A campaign that beat starts two seconds from now: five people, a row each."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

from interakt_jobs import Job
from interakt_jobs.errors import NoSuchJob
from interakt_jobs.ledger.keys import job_id
from interakt_jobs.ledger.record import Reading
from interakt_jobs.ledger.redis_client import RedisClient
from worker.campaigns.definition.errors import NoSuchCampaign
from worker.campaigns.running import control
from worker.campaigns.running.run_campaign import campaign_of
from worker.schedules.definition import read
from worker.schedules.failures import tail_of
from worker.schedules.store import Schedules

from .plan import Item
from .table import Row

NAME, SECONDS = "demo", 2
PEOPLE = [
    ("Asha", "9999900001"),
    ("Ravi", "9999900002"),
    ("Meera", "9999900003"),
    ("Dev", "9999900004"),
    ("Zoya", "9999900005"),
]
DEFINITION = """
name = "Demo"
[template]
name = "welcome_message"
language = "en"
body = ["{name}"]
"""
DELIVERED = ("sent", "delivered", "read")


def files(folder: Path) -> None:
    """Write the definition and the recipients to where the worker may read them."""
    (folder / "demo.toml").write_text(DEFINITION)
    with (folder / "people.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("name", "phone"), *PEOPLE, ("Nobody", "12")])


def schedule(link: RedisClient) -> list[Row]:
    """Make the schedule, due in ``SECONDS``; the rows of its job and of its recipients."""
    schedules = Schedules(link)
    slot = int(schedules.now()) + SECONDS
    table = {
        "every": "1d",
        "start": datetime.fromtimestamp(slot, UTC),
        "run": "run_campaign",
        "payload": {"definition": "demo.toml", "recipients": "people.csv"},
    }
    schedules.add(read(NAME, table))
    job = Job(job_id("default", tail_of(NAME, slot)))
    started = Started(Item("campaign, by beat", "run_campaign", {}), job)
    people = [
        Person(Item(f"campaign, to {name}", "send_template", {}), job, link, at)
        for at, (name, _) in enumerate(PEOPLE)
    ]
    return [started, *people]


class Started(Row):
    """The job that beat has a worker make: it is not there before its time."""

    def look(self) -> None:
        try:
            super().look()
        except NoSuchJob:
            return


class Person(Row):
    """A recipient of the campaign, as its export has them."""

    def __init__(self, item: Item, job: Job, link: RedisClient, index: int) -> None:
        super().__init__(item, job)
        self.link, self.campaign, self.index = link, campaign_of(job.job_key), index

    def look(self) -> None:
        try:
            rows = list(control.export(self.link, "default", self.campaign))
        except NoSuchCampaign:
            return
        if not rows:
            return
        found = rows[self.index]
        state = found["state"]
        words = {"planned": "waiting", "fed": "released", "accepted": "done"}
        self.reading = Reading(
            job_key=f"{self.campaign}.{found['round']}.{found['index']}",
            state="done" if state in DELIVERED else words.get(state, state),
            operation="send_template",
            lane="bulk",
            provider_id=found["provider_id"],
            delivery=f"0.{state}" if state in DELIVERED else "",
            message=f"Hi {PEOPLE[self.index][0]}, welcome!" if state in DELIVERED else "",
        )
