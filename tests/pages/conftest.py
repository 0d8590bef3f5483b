"""A checkout of its own and a whole stack, in which the printed commands run."""

from __future__ import annotations

import contextlib
import csv
import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from redis import Redis

import interakt_jobs
from interakt_jobs.ledger.keys import prefix
from sandbox.stack import ROOT, Stack
from sandbox.valkey import free_port
from tests.waiting import until

LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "__pycache__", ".*_cache", ".hypothesis", "dist", "build", "*.egg-info"
)
TEXT = {"countryCode": "+91", "phoneNumber": "9999999999", "type": "Text", "data": {"message": "Hello"}}
USER = {"countryCode": "+91", "phoneNumber": "9999999997", "traits": {"name": "Meera", "city": "Pune"}}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this tree; the example's campaign may be sent at any hour, and lies in the first folder too."""
    folder = tmp_path_factory.mktemp("pages") / "checkout"
    shutil.copytree(ROOT, folder, ignore=LEFT_OUT)
    (folder / ".venv").symlink_to(sys.prefix)
    example = folder / "examples" / "campaign"
    text = (example / "diwali.toml").read_text()
    (example / "diwali.toml").write_text(re.sub(r"(?m)^(window|quiet_days) = .*$", "", text))
    for name in ("diwali.toml", "people.csv"):
        shutil.copy(example / name, folder)
    book = openpyxl.Workbook()
    for row in csv.reader((folder / "people.csv").open()):
        book.active.append(row)
    book.save(folder / "people.xlsx")
    return folder


@pytest.fixture(scope="module")
def stack(checkout: Path) -> Iterator[Stack]:
    env = {
        "INTERAKT_CALLS_PER_MINUTE": "60000",
        "INTERAKT_CAMPAIGN_DIR": str(checkout / "examples" / "campaign"),
        "INTERAKT_HTTP_DEADLINE_SECONDS": "300",
    }
    with Stack(calls_per_minute=0, env=env) as running:
        running.worker()
        running.bulk()
        running.beat()
        running.web()
        running.wait_for_workers(2)
        interakt_jobs.configure(running.valkey.url)
        interakt_jobs.track_user.delay(USER).get(timeout=60)  # type: ignore[arg-type]
        yield running
        interakt_jobs.configure(None)


class Page:
    """The reader of one page: a shell whose variables last from block to block, and what the page's names stand for."""

    def __init__(self, checkout: Path, stack: Stack) -> None:
        self.checkout, self.stack = checkout, stack
        self.environment = {
            **stack.environment,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",  # as after `activate`
            "PORT": str(free_port()),
        }
        self.campaign = "ID"

    def fill_in(self, line: str) -> str:
        """The line with the servers, the key and the ids of this run."""
        sandbox = f"127.0.0.1:{self.stack.sandbox.port}"
        for printed, here in {
            "127.0.0.1:6379/0": f"127.0.0.1:{self.stack.valkey.port}/0",
            "127.0.0.1:8900": sandbox,
            "localhost:8900": sandbox,
            "INTERAKT_API_KEY=...": f"INTERAKT_API_KEY={self.stack.sandbox.key}",
            "1a2b3c4d": self.stack.sandbox.account(),
            " ID": f" {self.campaign}",
        }.items():
            line = line.replace(printed, here)
        if "ij1.default.01a207ed436b70a9bd7ee315f7e34359" in line:
            job = self._dead() if "dead-letters" in line else self._waiting()
            line = line.replace("ij1.default.01a207ed436b70a9bd7ee315f7e34359", job)
        return line

    def _waiting(self) -> str:
        return str(interakt_jobs.send_text.delay(TEXT, countdown=3600).id)  # type: ignore[arg-type]

    def _dead(self) -> str:
        job = interakt_jobs.send_text.delay({**TEXT, "phoneNumber": "9888888888"})  # type: ignore[arg-type]
        with Redis.from_url(self.stack.valkey.url) as redis:
            self.stack._until(lambda: redis.zscore(f"{prefix('default')}dead", job.job_key), "a dead letter")
        return str(job.id)

    def run(self, line: str) -> subprocess.CompletedProcess[str]:
        """Run a line; what it exports stays for the next ones."""
        hold = (
            " campaign " in line and " show " not in line
        )  # a campaign of three is not over before it is paused
        self.stack.sandbox.faults(hold=hold, only_operations=["send_template"])
        kept = self.checkout.parent / "environment"
        done = subprocess.run(
            ["bash", "-c", f"{line}\ncode=$?\nenv -0 > {kept}\nexit $code"],
            cwd=self.checkout, env=self.environment, capture_output=True, text=True, timeout=300, input="y\n",
        )  # fmt: skip
        self.environment = dict(pair.split("=", 1) for pair in kept.read_text().split("\0") if pair)
        if found := re.search(r"\bc[0-9a-z]{8,}\b", done.stdout if "campaign create" in line else ""):
            self.campaign = found[0]
        return done

    def start(self, line: str, says: str) -> str:
        """Run a line that goes on until it is ended, on a terminal, until it has said that; what it said."""
        self.stack.sandbox.faults()
        terminal, theirs = pty.openpty()
        os.set_blocking(terminal, False)
        process = subprocess.Popen(
            ["bash", "-c", f"exec {line}"],
            cwd=self.checkout, env=self.environment, stdout=theirs, stderr=theirs, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        said = ""

        def has_said() -> object:
            nonlocal said
            with contextlib.suppress(OSError):
                said += os.read(terminal, 65536).decode(errors="replace").replace("\r", "")
            return re.search(says, said) or process.poll() is not None

        try:
            until(has_said)
        finally:
            if process.poll() is None:
                process.terminate()
            until(lambda: has_said() and process.poll() is not None)  # reading on, else it could not end
            os.close(terminal)
        return said
