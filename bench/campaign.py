"""``python -m bench.campaign``: what a campaign of a million weighs and how long it takes, planned, sent and exported.

Two sizes are run, each on fresh processes: a small one and the large one, so that what grows with the recipients shows. The
limit is raised far above any plan's, so that the machine is the limit; the sandbox accepts everything.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import campaign_page, machine
from bench.campaign_plan import make
from bench.processes import ROOT
from interakt_jobs.ledger.keys import prefix
from interakt_jobs.ledger.redis_client import RedisClient
from sandbox.stack import Stack
from worker.campaigns.running import control
from worker.campaigns.store.store import CampaignStore

RESULTS = ROOT / "bench" / "campaign.json"
CID = "cbench00001"
SMALL = 10_000


def peak_mb(pid: int) -> float:
    """The most memory that a living process has had."""
    status = Path(f"/proc/{pid}/status").read_text()
    return round(int(status.partition("VmHWM:")[2].split()[0]) / 1024, 1)


def redis_peak_mb(link: RedisClient) -> float:
    """The most memory that Redis has used, its clients' buffers included."""
    text: str = link.command("INFO", "memory").decode()
    return round(int(text.partition("used_memory_peak:")[2].partition("\r")[0]) / 1024**2, 1)


def weight(link: RedisClient) -> int:
    """Bytes of all the campaign's keys, as Redis counts them."""
    cursor, found = b"0", 0
    while True:
        cursor, keys = link.command("SCAN", cursor, "MATCH", f"{prefix('default')}c:{CID}:*", "COUNT", 1000)
        found += sum(int(link.command("MEMORY", "USAGE", key, "SAMPLES", 0)) for key in keys)
        if cursor == b"0":
            return found


def plan(url: str, path: Path) -> dict[str, Any]:
    """Plan the file in a process of its own, whose figures these are."""
    command = [sys.executable, "-m", "bench.campaign_plan", "--plan", url, str(path), CID, "open"]
    answer = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    figures: dict[str, Any] = json.loads(answer.stdout)
    return figures


def exported(url: str, path: Path) -> tuple[Counter[str], float, float]:
    """What the command exports: recipients by state, seconds, and the process's most memory in MB."""
    command = [
        sys.executable,
        "-m",
        "worker",
        "campaign",
        "export",
        CID,
        "--format",
        "jsonl",
        "--output",
        str(path),
    ]
    env = {**os.environ, "REDIS_URL": url, "INTERAKT_API_KEY": "placeholder"}
    began, peak = time.perf_counter(), 0.0
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        with contextlib.suppress(OSError, IndexError):  # it has just ended
            peak = max(peak, peak_mb(process.pid))
        time.sleep(0.02)
    if process.returncode:
        raise RuntimeError(f"the export ended with {process.returncode}")
    seconds = time.perf_counter() - began
    with path.open(encoding="utf-8") as file:
        return Counter(json.loads(line)["state"] for line in file), seconds, peak


def measure(recipients: int, send: int, rate: int) -> dict[str, Any]:
    """One size, from the file to the export."""
    env = {"INTERAKT_CALLS_PER_MINUTE": str(rate), "INTERAKT_LOG_LEVEL": "WARNING"}
    options = {"relaxed": True, "permissive": True, "keep_bodies": 0}
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(calls_per_minute=0, env=env, **options) as stack,
    ):
        path = Path(folder) / "people.csv"
        make(path, recipients)
        stack.worker()
        stack.bulk()
        stack.wait_for_workers(2)
        link = RedisClient(stack.valkey.url)
        planned = plan(stack.valkey.url, path)
        store = CampaignStore(link, "default", CID)
        before = weight(link)
        began = time.perf_counter()
        control.start(link, "default", CID)
        sent, flown = run(store, min(send, recipients))
        seconds = time.perf_counter() - began
        control.pause(link, "default", CID, "measured")
        at_rest(store)
        states, export, exporter = exported(stack.valkey.url, Path(folder) / "outcome.jsonl")
        peaks = {name: peak_mb(process.pid) for name, process in stack.processes.items()}
        peaks |= {
            "planner": planned["peak_mb"],
            "exporter": exporter,
            "redis": redis_peak_mb(link),
        }
        accepted = Counter(times for times, _ in stack.sandbox.jobs().values())
        counts = {name: count for name, count in store.counts().items() if "|" not in name}
        return {
            "recipients": recipients,
            "sent": sent,
            "accepted_once": accepted[1],
            "accepted_more_than_once": sum(count for times, count in accepted.items() if times > 1),
            "adds_up": counts == dict(states) and sum(states.values()) == recipients,
            "plan_seconds": planned["seconds"],
            "send_seconds": round(seconds, 1),
            "sent_per_second": round(sent / seconds, 1),
            "export_seconds": round(export, 1),
            "bytes_planned": round(before / recipients, 1),
            "bytes_sent": round(weight(link) / recipients, 1),
            "most_in_flight": flown,
            "peak_mb": peaks,
        }


def run(store: CampaignStore, send: int) -> tuple[int, int]:
    """Wait until ``send`` are accepted; how many are, and the most that were in flight."""
    most, told = 0, time.monotonic()
    while (accepted := store.counts().get("accepted", 0)) < send:
        most = max(most, store.enqueued())
        status = store.status()
        if status != "running" and store.counts().get("accepted", 0) < send:
            raise RuntimeError(f"the campaign is {status}: {store.meta().get('why')}, {store.counts()}")
        if time.monotonic() - told > 10:
            told = time.monotonic()
            print(f"  {accepted:,} of {send:,}", file=sys.stderr, flush=True)
        time.sleep(0.2)
    return accepted, most


def at_rest(store: CampaignStore) -> None:
    """Wait for the calls under way."""
    end = time.monotonic() + 30
    while store.enqueued() and time.monotonic() < end:
        time.sleep(0.1)


def main(arguments: list[str] | None = None) -> int:
    made = argparse.ArgumentParser(
        prog="python -m bench.campaign",
        description="What a campaign weighs, and how long it takes.",
        epilog="example: python -m bench.campaign --recipients 20000 --send 5000",
    )
    made.add_argument("--recipients", type=int, default=1_000_000)
    made.add_argument("--send", type=int, default=200_000, help="so many of them are sent to the sandbox")
    made.add_argument("--rate", type=int, default=600_000, help="calls a minute that the account is allowed")
    made.add_argument("--json", type=Path, default=RESULTS, help="write the figures here, and their page")
    options = made.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    rows = []
    for recipients in sorted({min(SMALL, options.recipients), options.recipients}):
        rows.append(measure(recipients, options.send, options.rate))
        print(json.dumps(rows[-1]), flush=True)
    results = {"date": datetime.now(UTC).date().isoformat(), "machine": machine.describe(), "rows": rows}
    options.json.write_text(json.dumps(results, indent=1) + "\n")
    if options.json == RESULTS:
        campaign_page.write(results)
    return 0 if all(row["adds_up"] and not row["accepted_more_than_once"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
