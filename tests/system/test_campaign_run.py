"""A campaign from ``run_campaign.delay()`` through real workers to the sandbox, its receipts and its export."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from interakt_jobs import JobDead, configure, run_campaign
from interakt_jobs.ledger.redis_client import RedisClient
from sandbox.stack import Stack
from tests.waiting import until, until_still
from worker.campaigns.running import control
from worker.campaigns.running.run_campaign import campaign_of
from worker.schedules.store import Schedules

from .conftest import QUICK

PEOPLE = 300
DEFINITION = {
    "name": "Diwali",
    "template": {"name": "diwali_offer", "language": "en", "body": ["{name}"]},
    "rules": {"stop_when": [{"count": 1000}]},
}


@pytest.fixture(scope="module")
def campaigns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, Path]]:
    """A stack of its own: a slow budget, webhooks, and a folder of recipients."""
    folder = tmp_path_factory.mktemp("campaigns")
    env = {**QUICK, "INTERAKT_CALLS_PER_MINUTE": "6000", "INTERAKT_CAMPAIGN_DIR": str(folder)}
    with Stack(calls_per_minute=0, env=env, relaxed=True, permissive=True) as running:
        running.worker()
        running.bulk()
        running.web()
        running.wait_for_workers(2)
        running.sandbox.webhooks(url=running.webhook_url, secret="sandbox-webhook-secret")
        configure(running.valkey.url)
        yield running, folder
        configure(None)


@pytest.fixture
def link(campaigns: tuple[Stack, Path]) -> Iterator[RedisClient]:
    found = RedisClient(campaigns[0].valkey.url)
    yield found
    found.close()


def write(folder: Path, name: str = "people.csv") -> None:
    rows = "".join(f"+9199999{at:05d},N{at}\n" for at in range(PEOPLE))
    (folder / name).write_text(f"phone,name\n{rows}12,Nobody\n")


def test_a_campaign_runs_pauses_resumes_and_its_export_adds_up(
    campaigns: tuple[Stack, Path], link: RedisClient
) -> None:
    stack, folder = campaigns
    write(folder)
    (folder / "diwali.toml").write_text(
        'name = "Diwali"\n[template]\nname = "diwali_offer"\nlanguage = "en"\nbody = ["{name}"]\n'
    )
    payload = {"definition": "diwali.toml", "recipients": "people.csv"}
    stack.sandbox.faults(
        hold=True, only_operations=["send_template"]
    )  # so that it is not done before it is paused
    job = run_campaign.delay(payload, task_id="diwali-2026-11-23")
    answer = job.get(timeout=60)["data"]
    campaign = answer["campaign"]
    assert answer == {
        "campaign": campaign_of("diwali-2026-11-23"),
        "status": "running",
        "recipients": PEOPLE,
        "rejected": {"phone": 1},
    }
    assert "302,phone" in (folder / f"rejected-{campaign}.csv").read_text()
    assert run_campaign.apply_async((payload,), task_id="diwali-2026-11-23").id == job.id

    until(lambda: stack.sandbox.summary()["simultaneous"])
    assert control.pause(link, "default", campaign) == "paused"
    stack.sandbox.faults()
    until(lambda: not control.progress(link, "default", campaign).counts.get("enqueued"))
    until_still(lambda: len(stack.sandbox.calls()), 1.0)
    found = control.progress(link, "default", campaign)
    assert 0 < found.counts["planned"] < PEOPLE
    control.resume(link, "default", campaign)

    until(lambda: control.progress(link, "default", campaign).status == "done")
    until(lambda: control.progress(link, "default", campaign).counts.get("accepted", 0) == 0)
    rows = list(control.export(link, "default", campaign))
    states = Counter(row["state"] for row in rows)
    counts = control.progress(link, "default", campaign).counts
    assert len({row["phone"] for row in rows}) == PEOPLE
    assert {name: count for name, count in counts.items() if "|" not in name} == states
    assert set(states) <= {"sent", "delivered", "read", "failed"}
    sends = [
        call
        for call in stack.sandbox.calls(bodies=True)
        if call["operation"] == "send_message" or call["job"]
    ]
    assert len(sends) == PEOPLE
    assert {call["body"]["callbackData"] for call in sends} == {
        f"ij1.default.{campaign}.0.{row['index']}" for row in rows
    }
    assert len({call["body"]["campaignId"] for call in sends}) == 1
    assert len({row["provider_id"] for row in rows}) == PEOPLE
    json.dumps(rows)


def test_cancel_stops_the_calls(campaigns: tuple[Stack, Path], link: RedisClient) -> None:
    stack, _ = campaigns
    stack.sandbox.reset()
    stack.sandbox.faults(hold=True, only_operations=["send_template"])
    stack.sandbox.webhooks(url=stack.webhook_url, secret="sandbox-webhook-secret")
    people = [{"phone": f"+9199998{at:05d}", "name": "N"} for at in range(400)]
    answer = run_campaign.delay({"definition": DEFINITION, "recipients": people}).get(timeout=60)["data"]
    until(lambda: stack.sandbox.summary()["simultaneous"])
    control.cancel(link, "default", answer["campaign"])
    stack.sandbox.faults()
    until_still(lambda: len(stack.sandbox.calls()), 1.0)
    counts = control.progress(link, "default", answer["campaign"]).counts
    assert counts["cancelled"] > 100
    assert sum(count for name, count in counts.items() if "|" not in name) == 400


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({"definition": DEFINITION, "recipients": "../../etc/passwd"}, "leads out"),
        ({"definition": DEFINITION, "recipients": "nobody.csv"}, "no such file"),
        ({"definition": {"name": "x"}, "recipients": []}, "template"),
        ({"campaign": "c:*"}, "campaign: an id is c and 8"),
        ({"campaign": "cffffffff"}, "no campaign"),
        ({"definition": {**DEFINITION, "account": "other"}, "recipients": []}, "account"),
    ],
)
def test_what_cannot_be_run_is_a_dead_letter_with_its_reason(
    campaigns: tuple[Stack, Path], payload: dict[str, Any], said: str
) -> None:
    job = run_campaign.delay(payload)
    with pytest.raises(JobDead) as dead:
        job.get(timeout=60)
    assert dead.value.reason == "invalid_payload"
    until(lambda: [line for line in campaigns[0].lines("bulk", "job_refused") if line["job"] == job.id])
    assert said in dead.value.error


def test_a_scheduled_campaign_whose_file_is_gone_is_told_everywhere(
    campaigns: tuple[Stack, Path], link: RedisClient
) -> None:
    stack, folder = campaigns
    (folder / "weekly.toml").write_text(
        'name = "Weekly"\n[template]\nname = "diwali_offer"\nlanguage = "en"\nbody = ["{name}"]\n'
    )
    write(folder, "weekly.csv")
    words = "schedule add weekly --every 5s --definition weekly.toml --recipients weekly.csv"
    assert "every 5s" in command(stack, *words.split())
    (folder / "weekly.csv").unlink()
    stack.beat()
    found = until(lambda: (stored := Schedules(link).get("weekly")).failed and stored, 60)
    assert found.failures[0].endswith("invalid_payload: recipients: no such file in INTERAKT_CAMPAIGN_DIR")
    assert "no such file" in command(stack, "schedule", "list") + command(stack, "schedule", "show", "weekly")
    assert any(stack.lines(name, "schedule_failed") for name in ("worker", "bulk"))
    refused = command(stack, *words.replace("weekly", "again", 1).split(), code=2)
    assert "recipients: no such file" in refused
    command(stack, "schedule", "remove", "weekly")
    assert stack.end("beat") == 0


def command(stack: Stack, *words: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "worker", *words], env=stack.environment, capture_output=True, text=True
    )
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr
