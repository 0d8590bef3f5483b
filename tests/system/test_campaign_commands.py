"""``python -m worker campaign`` and ``optout`` on a running stack."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from rich.console import Console

import interakt_jobs
from interakt_jobs.ledger.redis_client import RedisClient
from sandbox.stack import ROOT, Stack
from tests.waiting import until
from worker import campaigns
from worker.campaigns.running import control
from worker.campaigns.store import store
from worker.cli.campaign import page

DEFINITION = """
name = "Diwali sale"
[template]
name = "welcome_message"
language = "en"
body = ["{name}"]
"""


def run(stack: Stack, *arguments: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "worker", *arguments],
        cwd=ROOT, env=stack.environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout if code == 0 else done.stdout + done.stderr


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "sale.toml").write_text(DEFINITION)
    rows = [f"99999{number:05d},Person {number}" for number in range(40)]
    (tmp_path / "people.csv").write_text("\n".join(["phone,name", *rows, "12,Too short", "9999900003,Again"]))
    return tmp_path


def create(stack: Stack, files: Path, *more: str) -> dict[str, Any]:
    people = ("--recipients", str(files / "people.csv"))
    found: dict[str, Any] = json.loads(
        run(stack, "campaign", "create", str(files / "sale.toml"), *people, "--json", *more)
    )
    return found


def shown(stack: Stack, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(stack, "campaign", "show", name, "--json"))
    return found


def test_a_campaign_from_the_file_to_the_export(stack: Stack, files: Path) -> None:
    found = create(stack, files, "--start", "--rejected", str(files / "bad.csv"))
    assert (found["messages"], found["rejected"]) == (40, {"phone": 1, "duplicate": 1})
    assert "Person 0" in found["previews"][0]["text"] or found["previews"][0]["payload"]
    rejected = list(csv.DictReader((files / "bad.csv").open()))
    assert [row["line"] for row in rejected] == ["42", "43"]
    name = found["campaign"]
    now = until(lambda: found if (found := shown(stack, name))["status"] == "done" else None)
    assert now
    assert sum(number for state, number in now["counts"].items() if "|" not in state) == 40
    run(stack, "campaign", "export", name, "--output", str(files / "out.csv"))
    rows = list(csv.DictReader((files / "out.csv").open()))
    assert len(rows) == 40 and {row["state"] for row in rows} <= {"accepted", "sent", "delivered", "read"}
    assert len(run(stack, "campaign", "export", name, "--format", "jsonl").splitlines()) == 40
    assert name in run(stack, "campaign", "list")
    assert "40" in run(stack, "campaign", "show", name)
    run(stack, "campaign", "drop", name, "--yes")
    assert "no campaign" in run(stack, "campaign", "show", name, code=1)


def test_preflight_refuses_and_keeps_nothing(stack: Stack, files: Path) -> None:
    (files / "sale.toml").write_text(DEFINITION.replace("welcome_message", "no_such_template"))
    people = ("--recipients", str(files / "people.csv"))
    for action in ("preflight", "create"):
        text = run(stack, "campaign", action, str(files / "sale.toml"), *people, code=1)
        assert "REFUSED" in text and "no_such_template" in text
    before = len(json.loads(run(stack, "campaign", "list", "--json")))
    (files / "sale.toml").write_text(DEFINITION.replace('["{name}"]', '["{nome}"]'))
    text = run(stack, "campaign", "create", str(files / "sale.toml"), *people, code=2)
    assert "nome" in text
    (files / "sale.toml").write_text(DEFINITION)
    text = run(stack, "campaign", "create", str(files / "sale.toml"), *people, "--dry-run")
    assert "Messages   40; left out: 1 duplicate, 1 phone" in text and "Preview 3" in text
    assert len(json.loads(run(stack, "campaign", "list", "--json"))) == before
    for wrong in ("no_such_file.csv", str(files)):
        assert "no file" in run(
            stack, "campaign", "create", str(files / "sale.toml"), "--recipients", wrong, code=2
        )
    (files / "sale.toml").write_text(DEFINITION + '[rules]\nwindow = "late"\n')
    assert "rules.window" in run(stack, "campaign", "create", str(files / "sale.toml"), *people, code=2)


def test_a_campaign_is_paused_resumed_and_cancelled(stack: Stack, files: Path) -> None:
    (files / "sale.toml").write_text(DEFINITION + "[schedule]\nstart = 2099-01-01T09:00:00+05:30\n")
    name = create(stack, files)["campaign"]
    run(stack, "campaign", "pause", name, code=1)
    for action, says in (
        ("start", "runs"),
        ("pause", "is paused"),
        ("resume", "runs again"),
        ("pause", "is paused"),
    ):
        assert f"{name} {says}" in run(stack, "campaign", action, name)
    assert "by hand" in run(stack, "campaign", "progress", name)
    assert "is paused" in run(stack, "campaign", "drop", name, "--yes", code=1)
    run(stack, "campaign", "cancel", name)
    now = json.loads(run(stack, "campaign", "show", name, "--json"))
    assert now["status"] == "cancelled" and now["recipients"] == 40
    assert "cancelled" in run(stack, "campaign", "resume", name, code=1)
    assert "say whom" in run(stack, "campaign", "retry", name, code=2)


def test_who_has_no_receipt_is_sent_to_again(stack: Stack, files: Path) -> None:
    name = create(stack, files, "--start")["campaign"]
    run(stack, "campaign", "progress", name, "--watch")
    assert "40 recipients" in run(stack, "campaign", "retry", name, "--not-delivered")
    run(stack, "campaign", "progress", name, "--watch")
    times = [times for job, (times, _) in stack.sandbox.jobs().items() if f".{name}.1." in job]
    assert times == [1] * 40


def test_recipients_are_found_among_interakts_users(stack: Stack, files: Path) -> None:
    (files / "sale.toml").write_text(DEFINITION)
    arguments = ("--recipients", "users:", "--filter", "email eq abc@gmail.com")
    text = run(stack, "campaign", "preflight", str(files / "sale.toml"), *arguments)
    assert "Messages   1" in text and "John Doe" in text
    tracked = []
    for number in range(120):
        person = {
            "phoneNumber": f"99998{number:05d}",
            "countryCode": "+91",
            "traits": {"name": "P", "seat": number},
        }
        tracked.append(interakt_jobs.track_user.delay(person))  # type: ignore[arg-type]
    for job in tracked:
        job.get(timeout=60)
    seats = ("--recipients", "users:", "--filter", "seat gte 10", "--json")
    found = json.loads(run(stack, "campaign", "create", str(files / "sale.toml"), *seats))
    assert found["messages"] == 110
    assert len(run(stack, "campaign", "export", found["campaign"]).splitlines()) == 111
    assert "TRAIT OPERATOR VALUE" in run(
        stack, "campaign", "preflight", str(files / "sale.toml"), *arguments[:3], "{", code=2
    )


def test_the_opt_out_list_leaves_people_out(stack: Stack, files: Path) -> None:
    assert run(stack, "optout", "add", "9999900007") == "added\n"
    (files / "more.csv").write_text("phone\n9999900008\nnobody\n9999900007\n")
    assert run(stack, "optout", "import", str(files / "more.csv")).startswith(
        "1 added, 1 were on the list, 1 "
    )
    found = create(stack, files, "--dry-run")
    assert (found["messages"], found["rejected"]["opted_out"]) == (38, 2)
    hashes = run(stack, "optout", "export-hashes")
    assert run(stack, "optout", "check", "+919999900007") == "on the list\n"
    for phone in ("9999900007", "9999900008"):
        assert run(stack, "optout", "remove", phone) == "removed\n"
    (files / "hashes").write_text(hashes)
    assert run(stack, "optout", "import-hashes", str(files / "hashes")) == "2 added\n"
    assert run(stack, "optout", "count") == "2\n"
    for phone in ("9999900007", "9999900008"):
        run(stack, "optout", "remove", phone)
    assert "PHONE" in run(stack, "optout", "add", "12", code=2)
    assert "--country-code" in run(stack, "optout", "add", "12", "--country-code", "India", code=2)


def test_an_opt_out_file_is_read_by_its_heading_or_not_at_all(stack: Stack, files: Path) -> None:
    path = files / "out.csv"
    path.write_text(
        "customer_id;Name;Mobile No.\n9000000001;Asha;9999900011\n9000000002;Ravi;9999900012\n9000000003;Jo;-\n"
    )
    said = run(stack, "optout", "import", str(path), "--rejected", str(files / "bad.csv"))
    assert said.startswith("2 added, 0 were on the list, 1 rows rejected\n  1 no phone number\n")
    assert (files / "bad.csv").read_text().splitlines()[1:] == ["4,phone,no phone number,'-"]
    assert run(stack, "optout", "check", "9999900011") == "on the list\n"
    run(stack, "optout", "check", "9000000001", code=1)
    path.write_text("name;contact\nAsha;9999900013\nRavi;9999900014\n")
    assert "no column for the phone number" in run(stack, "optout", "import", str(path), code=2)
    assert "0 of 2 rows" in run(stack, "optout", "import", str(path), "--column", "name", code=2)
    assert run(stack, "optout", "import", str(path), "--column", "contact", "--delimiter", ";").startswith(
        "2 added"
    )
    for phone in ("9999900011", "9999900012", "9999900013", "9999900014"):
        assert run(stack, "optout", "remove", phone) == "removed\n"


def test_a_workbook_with_none_in_it_is_stopped_then_sent_and_comes_back_whole(
    stack: Stack, files: Path
) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in (
        ("customer", "phone", "name", "note"),
        ("K1", 9999900021, "Asha", "=1+1"),
        ("K2", 9999900022, "None", None),
    ):
        book.active.append(row)
    book["Sheet"]["D2"].data_type = "s"
    book.save(files / "people.xlsx")
    words = (
        "campaign",
        "create",
        str(files / "sale.toml"),
        "--recipients",
        str(files / "people.xlsx"),
        "--json",
    )
    refused = json.loads(run(stack, *words, code=1))
    assert refused["problems"][0].startswith("1 values say nothing: 1 None in name (line 3)")
    made = json.loads(run(stack, *words, "--allow-empty-values"))
    rows = list(csv.DictReader(run(stack, "campaign", "export", made["campaign"]).splitlines()))
    assert [(row["customer"], row["name"], row["note"], row["phone"]) for row in rows] == [
        ("K1", "Asha", "'=1+1", "+919999900021"),
        ("K2", "None", "", "+919999900022"),
    ]
    run(stack, "campaign", "drop", made["campaign"], "--yes")


def test_python_code_makes_campaigns_too(stack: Stack, files: Path) -> None:
    link = RedisClient(stack.valkey.url)
    people = [{"phone": "9999911111", "name": "Asha"}, {"phone": "12", "name": "Nobody"}]
    rejected: list[object] = []
    made = campaigns.create(
        link, campaigns.load(files / "sale.toml"), campaigns.Dicts(people), reject=rejected.append
    )
    assert made.report.ok and len(rejected) == 1
    assert campaigns.start(link, "default", made.campaign) == "running"
    run(stack, "campaign", "show", made.campaign, "--watch")
    rows = list(campaigns.export(link, "default", made.campaign))
    assert [row["phone"] for row in rows] == ["+919999911111"]
    assert control.progress(link, "default", made.campaign).status == "done"
    link.close()


def test_a_list_that_breaks_off_leaves_no_half_campaign(stack: Stack, files: Path) -> None:
    def people() -> Iterator[dict[str, str]]:
        yield {"phone": "9999911111", "name": "Asha"}
        raise OSError("the disk is gone")

    link = RedisClient(stack.valkey.url)
    before = store.campaigns(link, "default")
    with pytest.raises(OSError, match="disk"):
        campaigns.create(link, campaigns.load(files / "sale.toml"), campaigns.Dicts(people()))
    assert store.campaigns(link, "default") == before
    link.close()


def test_a_campaigns_name_is_shown_as_it_is() -> None:
    shown = Console(file=io.StringIO(), width=100)
    shown.print(page(control.Progress("c012345678", "Sale [red] :smile:", "default", "done")))
    assert "Sale [red] :smile:" in shown.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("campaign show nonsense", 2),
        ("campaign show c012345678", 1),
        ("campaign export c012345678", 1),
        ("campaign drop c012345678 --yes", 1),
        ("campaign retry c012345678 --failed", 1),
        ("campaign start c012345678 --account nobody", 1),
    ],
)
def test_a_mistyped_campaign_is_told(stack: Stack, words: str, code: int) -> None:
    assert "Error" in run(stack, *words.split(), code=code)
