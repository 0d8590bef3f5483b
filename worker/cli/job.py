"""``python -m worker job``: one job."""

from __future__ import annotations

from dataclasses import asdict

import click

from interakt_jobs.ledger.waiting import waits_for
from worker.cli.common import job_ledger, json_option, moment, noted, say, say_attempts, show_json, since


@click.group()
def command() -> None:
    """Show or cancel one job.

    Example: python -m worker job show ij1.default.0190...
    """


@command.command()
@click.argument("id")
@json_option
def show(id: str, as_json: bool) -> None:
    """Where a job is, and what happened to it."""
    ledger, job_key = job_ledger(id)
    reading = ledger.read(job_key)
    waiting = waits_for(ledger, reading)
    if as_json:
        show_json({**asdict(reading), "waits_for": waiting and waiting._asdict()})
        return
    say(f"{id}: {reading.state} ({reading.operation}, {reading.lane}), {reading.attempts} attempts")
    if waiting:
        say(f"  waits for: {waiting.why}" + (f", until {moment(waiting.until)}" if waiting.until else ""))
    if reading.ended:
        say(f"  ended {since(reading.ended)}")
    for name in ("reason", "error", "provider_id", "message", "delivery"):
        if value := getattr(reading, name):
            say(f"  {name.replace('_', ' ')}: {value}")
    if reading.was:
        say(f"  corrected: it had ended as {reading.was}")
    if reading.ambiguous:
        say("  ambiguous: it was sent again after an attempt whose outcome was unknown")
    say_attempts(reading.log)


@command.command()
@click.argument("id")
def cancel(id: str) -> None:
    """Cancel a job that is not running; `show` then says if it may have been sent before."""
    ledger, job_key = job_ledger(id)
    ledger.cancel(job_key)
    noted(ledger, "job_cancel", f"{id} is cancelled", job=id)
