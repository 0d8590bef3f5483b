"""``make demo``."""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.live import Live

import interakt_jobs
from interakt_jobs.ledger.redis_client import RedisClient
from sandbox.stack import Stack

from . import plan, scheduled, table

SECONDS = 45.0
WHATSAPP = frozenset(
    name for name in interakt_jobs.OPERATIONS if name.startswith("send_") and not name.startswith("send_rcs")
)
SETTINGS = {"INTERAKT_HOLD_SECONDS": "5", "INTERAKT_LOG_FORMAT": "text"}


def main() -> int:
    """Run the demo; 0 only if every job came to the end it must come to."""
    # what was started is stopped then too
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda found, _: sys.exit(128 + found))
    console = Console()
    if not console.is_terminal:
        console = Console(width=140)
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        media = Path(folder) / "offer.jpg"
        media.write_bytes(b"\xff\xd8\xff\xe0 not much of a picture")
        scheduled.files(Path(folder))
        env = {**SETTINGS, "INTERAKT_UPLOAD_DIR": folder, "INTERAKT_CAMPAIGN_DIR": folder}
        with Stack(calls_per_minute=600, env=env) as stack:
            return show(stack, media, console)


def show(stack: Stack, media: Path, console: Console) -> int:
    console.print(
        f"Valkey:        {stack.valkey.url}\nfake Interakt: {stack.sandbox.base_url}", highlight=False
    )
    console.print("Starting web, worker, bulk and beat, as in the Procfile ...")
    stack.worker(concurrency=16)
    stack.bulk()
    stack.beat()
    stack.web()
    stack.sandbox.webhooks(
        url=stack.webhook_url, secret=stack.environment["INTERAKT_WEBHOOK_SECRET"], delay_ms=300
    )
    stack.wait_for_workers(2)
    interakt_jobs.configure(stack.valkey.url)
    rows = enqueue([*plan.document_items(), *plan.further_items(media), *plan.failing_items()])
    rows += scheduled.schedule(RedisClient(stack.valkey.url))
    with Live(table.draw(rows, console.width), console=console, refresh_per_second=8) as live:
        wait(rows, live, console)
    return verdict(rows, stack, console)


def enqueue(items: list[plan.Item]) -> list[table.Row]:
    """Accept every job, as an application would."""
    rows = []
    for item in items:
        job = interakt_jobs.OPERATIONS[item.operation].delay(item.payload, **item.options)
        if item.cancel:
            job.revoke()
        rows.append(table.Row(item, job))
    return rows


def wait(rows: list[table.Row], live: Live, console: Console) -> None:
    """Until every job has ended and every WhatsApp message's receipt has come."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        for row in rows:
            row.look()
        live.update(table.draw(rows, console.width))
        if all(row.ended for row in rows) and not undelivered(rows):
            break
        time.sleep(0.15)


def undelivered(rows: list[table.Row]) -> list[table.Row]:
    """WhatsApp messages that were accepted and whose receipts have not come."""
    sent = [row for row in rows if row.item.ends == "done" and row.item.operation in WHATSAPP]
    return [row for row in sent if row.delivery not in ("delivered", "read")]


def verdict(rows: list[table.Row], stack: Stack, console: Console) -> int:
    wrong = [row for row in rows if not row.right]
    done = {row.item.operation for row in rows if row.right and row.item.ends == "done"}
    shown, missing = done & set(interakt_jobs.OPERATIONS), sorted(set(interakt_jobs.OPERATIONS) - done)
    summary = stack.sandbox.summary()
    console.print(
        f"\n{len(rows)} jobs, {summary['calls']} calls, "
        f"{len(shown)} of {len(interakt_jobs.OPERATIONS)} operations done. What was not sent, and why:"
    )
    for row in rows:
        if row.reading and row.reading.state == "dead":
            words = (row.reading.error or row.reading.reason).replace("\n", "; ")
            console.print(f"  {row.item.label}: {words}", markup=False, highlight=False)
    for row in wrong:
        state = row.reading.reason or row.reading.state if row.reading else "not read"
        console.print(f"[red]{row.item.label}: expected {row.item.ends}, found {state}[/]")
    silent = undelivered(rows)
    if silent:
        console.print(f"[red]without a receipt: {', '.join(row.item.label for row in silent)}[/]")
    if missing:
        console.print(f"[red]operations without a done job: {', '.join(missing)}[/]")
    if wrong or missing or silent:
        for name in stack.processes:
            console.print(f"--- {name}\n{stack.tail(name, 2000)}", markup=False)
        return 1
    console.print(
        "Everything ended as it should.\nWhere to look next: README.md; .venv/bin/python -m worker --help",
        highlight=False,
    )
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
