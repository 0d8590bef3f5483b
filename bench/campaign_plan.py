"""How long planning a campaign takes, and what it weighs: ``python -m bench.campaign_plan [recipients ...]``.

A CSV with a phone, a name and a short code is made, planned into a fresh Valkey in a process of its own, and
read back. Printed: seconds and CPU of the planning process, its peak memory, Redis bytes per recipient.
"""

from __future__ import annotations

import csv
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sandbox.valkey import Valkey

NAMES = ("Aarav", "Priya", "Siddharth", "Ananya", "Mohammed", "Lakshmi", "Jo", "Venkatesh", "Zoë", "अमित")
DEFINITION = {
    "name": "A bench",
    "template": {"name": "diwali_offer", "body": ["{name}", "{code}"]},
    "rules": {"window": "09:00-21:00"},
}
# of the sandbox's own template, at any hour
SENT = {
    "name": "A bench",
    "template": {"name": "diwali_offer", "body": ["{name}: {code}"]},
    "rules": {"stop_when": [{"count": 10**9}]},
}


def make(path: Path, count: int) -> None:
    """A CSV of ``count`` recipients: random Indian mobiles, a name with a surname's initial, a code."""
    chance = random.Random(count)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("phone", "name", "code"))
        for number in chance.sample(range(10**9), count):
            name = f"{chance.choice(NAMES)} {chr(65 + chance.randrange(26))}"
            writer.writerow((f"9{number:09d}", name, f"{chance.randrange(36**4):06x}"))


def peak_mb() -> float:
    """This process's peak memory; where there is a /proc, without what ``ru_maxrss`` inherits from the parent."""
    status = Path("/proc/self/status")
    if status.exists():
        return round(int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024, 1)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def plan_here(url: str, path: str, campaign: str = "c00000001", window: str = "") -> None:
    """What the child process does: plan, then print its own figures. A ``window`` of ``open`` sends at any hour."""
    from interakt_jobs.ledger.redis_client import RedisClient
    from worker.campaigns.definition.definition import read
    from worker.campaigns.planning.planner import plan
    from worker.campaigns.recipients.sources import CsvFile

    began, cpu = time.perf_counter(), time.process_time()
    definition = SENT if window == "open" else DEFINITION
    tally = plan(RedisClient(url), read(definition), campaign, CsvFile(path))
    figures = {
        "recipients": tally.recipients,
        "rejected": dict(tally.rejected),
        "seconds": round(time.perf_counter() - began, 2),
        "cpu_seconds": round(time.process_time() - cpu, 2),
        "peak_mb": peak_mb(),
    }
    print(json.dumps(figures))


def measure(count: int) -> dict[str, object]:
    """Plan ``count`` recipients into a fresh server."""
    from interakt_jobs.ledger.redis_client import RedisClient
    from worker.campaigns.store.store import CampaignStore

    with tempfile.TemporaryDirectory() as folder, Valkey() as server:
        path = Path(folder) / "people.csv"
        make(path, count)
        link = RedisClient(server.url)
        before = _memory(link)
        command = [sys.executable, "-m", "bench.campaign_plan", "--plan", server.url, str(path)]
        answer = subprocess.run(command, check=True, capture_output=True, text=True)
        figures: dict[str, object] = json.loads(answer.stdout)
        figures["redis_bytes_per_recipient"] = round((_memory(link) - before) / count, 1)
        began = time.perf_counter()
        seen = sum(1 for _ in CampaignStore(link, "default", "c00000001").outcomes())
        figures["export_seconds"] = round(time.perf_counter() - began, 2)
        assert seen == count
    return figures


def _memory(link: object) -> int:
    text = link.command("INFO", "memory").decode()  # type: ignore[attr-defined]
    return int(text.partition("used_memory:")[2].partition("\r")[0])


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--plan"]:
        return plan_here(*arguments[1:])
    for count in [int(text) for text in arguments] or [10_000, 100_000, 1_000_000]:
        print(json.dumps(measure(count)), flush=True)
    return None


if __name__ == "__main__":
    main(sys.argv[1:])
