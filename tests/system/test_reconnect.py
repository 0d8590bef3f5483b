"""After an outage of Redis a worker is back at once, not when its patience comes round."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import interakt_jobs
from sandbox.control import Sandbox
from sandbox.stack import ROOT
from sandbox.valkey import Valkey
from tests.waiting import until

TEXT = {"countryCode": "+91", "phoneNumber": "9999999999", "data": {"message": "Hello"}}
TRY = re.compile(
    r"Trying again in ([\d.]+) seconds"
)  # kombu's own words; it would wait 2, 4, 6 and more seconds


def test_a_job_enqueued_right_after_an_outage_is_sent_within_seconds(tmp_path: Path) -> None:
    with Valkey(directory=str(tmp_path)) as server, Sandbox(calls_per_minute=0) as sandbox:
        environment = {
            "PATH": os.environ["PATH"],
            "REDIS_URL": server.url,
            "INTERAKT_API_KEY": sandbox.key,
            "INTERAKT_BASE_URL": sandbox.base_url,
        }
        words = "-m celery -A worker.app worker -Q urgent,normal,intake --pool threads -c 2 -n one@%h"
        log_file = tmp_path / "worker.log"
        with log_file.open("wb") as log:
            worker = subprocess.Popen(
                [sys.executable, *words.split()], cwd=ROOT, env=environment, stdout=log, stderr=log
            )
        interakt_jobs.configure(server.url, allow_unregistered=True)
        try:
            interakt_jobs.send_text.delay(TEXT).get(timeout=60)  # type: ignore[arg-type]
            server.stop()
            waits = until(lambda: found if len(found := TRY.findall(log_file.read_text())) > 2 else None)
            server.start()
            job = interakt_jobs.send_text.delay(TEXT)  # type: ignore[arg-type]
            assert job.get(timeout=60)["status"] == 201
            assert set(waits) == {"2.00"}
        finally:
            interakt_jobs.configure(None)
            worker.terminate()
            worker.wait(60)
