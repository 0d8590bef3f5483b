"""``python -m worker status``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import click
from rich.console import Group
from rich.live import Live
from rich.table import Table

from interakt_jobs.ledger.keys import prefix
from worker.cli.common import accounts, ago, json_option, known_ledger, link, show_json, terminal
from worker.ledger import status as status_module
from worker.ledger.status import Status
from worker.telemetry.shown import shown


def table(found: Status) -> Any:
    """One account as a table and its remarks."""
    seconds = found.window_ms / 1000
    title = shown(
        f"{found.account}: {found.rate} calls per {seconds:g} s"
        + (f", cut to {found.factor:.0%} after a 429" if found.factor < 1 else "")
        + f"; {found.used_last_minute} used in the last minute"
    )
    made = Table(title=title, title_justify="left", min_width=70)
    for heading in ("lane", "ready", "waiting", "released", "running", "oldest"):
        made.add_column(heading, justify="left" if heading == "lane" else "right")
    for name, lane in found.lanes.items():
        oldest = ago(lane.oldest_ms) if lane.ready else "-"
        made.add_row(
            name, *(f"{n:,}" for n in (lane.ready, lane.waiting, lane.released, lane.running)), oldest
        )
    return Group(made, *(shown(f"  {remark}") for remark in _remarks(found)))


def _remarks(found: Status) -> Iterator[str]:
    name = found.account
    if found.keyless_ms:
        yield f"NO KEY for {ago(found.keyless_ms)}: no worker has this account's, {found.waiting:,} jobs wait"
    if found.paused_ms or found.breaker == "open":
        until = f"for {ago(found.paused_ms)} more" if found.paused_ms else "one probe at a time"
        yield f"PAUSED ({until}): {found.why}"
    if found.lost_ms:
        doubt = sum(lane.doubt for lane in found.lanes.values())
        old = f", and {doubt:,} jobs that may have been sent since" if doubt else ""
        yield f"REDIS HAS LOST DATA {ago(found.lost_ms)} ago (it came back {found.lost_why}): bulk waits{old}."
        yield f"See the opt-outs and the limit, then python -m worker account confirm-loss {name}"
    if found.set_aside:
        yield f"{found.set_aside} KEYS held something else and were set aside: HGETALL {prefix(name)}aside"
    if found.full:
        yield f"REDIS NEARLY FULL: no {found.full} work is accepted"
    for template, why in found.paused_templates.items():
        yield f"template {template} paused: {why}"
    for template, number in found.parked.items():
        yield f"{number:,} jobs wait for template {template}"
    if found.held:
        yield f"{found.held:,} unknown, held for a receipt"
    if found.dead:
        yield f"{found.dead:,} dead letters: python -m worker dead-letters list --account {name}"
    if found.delivery_failed:
        yield f"{found.delivery_failed:,} delivery failed: ... dead-letters list --delivery-failed"
    if found.webhooks_alarm == "silent":
        yield "NO RECEIPTS: the webhook is probably switched off at Interakt (docs/webhooks.md)"
    elif found.webhooks_alarm:
        yield "WRONG SIGNATURES: INTERAKT_WEBHOOK_SECRET is probably not Interakt's Secret Key"
    if found.optouts_open:
        number = found.optouts_open
        yield f"{number:,} STOPS WITHOUT A NUMBER: python -m worker optout open --account {name}"
    if found.outbox:
        yield f"{found.outbox:,} on_done messages not yet published"


@click.command()
@click.option("--account", default="", help="Only this account.")
@click.option("--watch", is_flag=True, help="Refresh each second until Ctrl-C.")
@json_option
def command(account: str, watch: bool, as_json: bool) -> None:
    """What each account is doing: allowance, use, lanes, pauses, dead letters.

    Example: python -m worker status --watch
    """
    redis = known_ledger(account).link if account else link()

    def look() -> list[Status]:
        return [status_module.read(redis, name) for name in ([account] if account else accounts(redis))]

    def page() -> Any:
        found = look()
        if not found:
            return "No account is registered at this Redis: start a worker first."
        alive = [worker for worker in status_module.workers(redis) if worker["age_ms"] < 15000]
        summary = ", ".join(sorted(f"{w['host']}:{w['pid']} ({'+'.join(w['queues'])})" for w in alive))
        foot = [f"workers: {summary or 'none alive'}"]
        if strange := status_module.poison(redis):
            foot.append(f"{strange:,} messages were not ours: python -m worker poison list")
        return Group(*(table(one) for one in found), *map(shown, foot))

    if as_json:
        alive = status_module.workers(redis)
        whole = {"accounts": [one.as_dict() for one in look()], "workers": alive}
        show_json({**whole, "poison": status_module.poison(redis)})
    elif watch:
        with Live(page(), console=terminal(), refresh_per_second=2) as live:
            while True:
                time.sleep(1)
                live.update(page())
    else:
        terminal().print(page())
