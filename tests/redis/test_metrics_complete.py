"""Every documented metric has a sample after a run in which everything happens, and whatever is counted is shown."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from interakt_jobs.ledger.constants import as_lua
from interakt_jobs.ledger.keys import prefix
from interakt_jobs.ledger.redis_client import RedisClient
from sandbox.stack import ROOT
from worker.ledger.dead_letters import DeadLetters
from worker.ledger.work_ledger import STEP, WorkLedger
from worker.web import buckets, series
from worker.web.metrics import Metrics
from worker.webhooks.consumer import Consumer
from worker.webhooks.handler import INBOUND
from worker.webhooks.receipts import apply_receipt
from worker.webhooks.spool import Spool
from worker.webhooks.streams import stream

from .test_campaign_feed import begin
from .test_held_ends import LOST, REFUSED, webhooks
from .test_ledger import DONE, holds_end, receipts_live, run_to_start

Accept = Callable[..., str]


def documented() -> set[str]:
    """The names in the table of docs/webhooks.md, where `_used` is short for `interakt_budget_used`."""
    table = (
        (ROOT / "docs" / "webhooks.md").read_text().partition("## Metrics")[2].partition("Worth an alarm")[0]
    )
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("|")]
    names = re.findall(r"`(\w+)`", " ".join(cells))
    return {f"interakt_budget{name}" if name.startswith("_") else name for name in names}


def sampled(url: str, folder: Path) -> set[str]:
    """The names that have a sample; of a histogram its own."""
    spool = Spool(folder)
    text = Metrics(url, spool).text().decode()
    spool.close()
    return {
        sample.name.removesuffix("_count")
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.endswith(("_bucket", "_sum", "_created"))
    }


def everything(ledger: WorkLedger, link: RedisClient, accept: Accept) -> None:
    """A job comes to each end; a receipt, a webhook, a message and a campaign come; breakers open."""
    receipts_live(ledger)
    webhooks(ledger)
    done = accept()
    ledger.step(run_to_start(ledger), DONE)
    for kind, code in (("sent", ""), ("failed", "131026")):
        apply_receipt(ledger, done, kind, at_ms=1, code=code)
    accept()
    ledger.step(run_to_start(ledger), LOST)
    holds_end(ledger)
    ledger.step(run_to_start(ledger), DONE)  # ambiguous
    late = accept(repeat="never")
    ledger.step(run_to_start(ledger), LOST)
    holds_end(ledger)
    apply_receipt(ledger, late, "sent", at_ms=int(time.time() * 1000))
    dead = accept()
    ledger.step(run_to_start(ledger), REFUSED)
    DeadLetters(ledger).replay(dead)
    accept(group="offer:en")
    ledger.step(run_to_start(ledger), DONE)
    ledger.step(run_to_start(ledger), ("template", "No approved template", ""))
    accept()
    ledger.step(run_to_start(ledger), ("account", "account: wallet", ""))
    link.run(INBOUND, [ledger.prefix], "m1", "{}", 60, "", "", "", "text", "", "", 1, 0)
    link.command("XADD", stream("default"), "*", "at", 1, "kind", "whatsapp", "body", "{}")
    Consumer(link, ["default"], lambda *_: None, lambda *_: None).round(lambda: False)
    begin(link, 1)
    link.command(
        "EVAL", "for _ = 1, 200000 do redis.call('RPUSH', KEYS[1], '') end", 1, f"{prefix('default')}outbox"
    )
    ledger.cancel(accept(options='{"on_done":"shop.told"}', not_before="+60000"))


def test_every_documented_metric_has_a_sample_and_every_metric_is_documented(
    redis_url: str, ledger: WorkLedger, link: RedisClient, accept: Accept, tmp_path: Path
) -> None:
    everything(ledger, link, accept)
    assert sampled(redis_url, tmp_path) == documented()


def test_what_is_counted_is_shown() -> None:
    counted = set()
    for file in (*(ROOT / "worker").rglob("*.lua"), *(ROOT / "interakt_jobs").rglob("*.lua")):
        counted |= set(re.findall(r"\bcount\('(\w+)[|']", file.read_text()))
    assert counted | {"webhook"} == set(series.COUNTERS), (
        "most of webhook is counted by web processes and consumers"
    )


def test_the_bounds_counted_in_lua_are_those_that_are_shown() -> None:
    for name, bounds in buckets.BOUNDS.items():
        assert f"['{name}'] = {as_lua(bounds)}" in STEP.text, name


def test_a_receipts_delay_is_counted_from_the_answer_or_the_lost_call(
    ledger: WorkLedger, link: RedisClient, accept: Accept
) -> None:
    webhooks(ledger)
    answered, lost = accept(), accept(repeat="never")
    ledger.step(run_to_start(ledger), DONE)
    ago = int(time.time() * 1000) - 40_000
    ledger.step(run_to_start(ledger), ("unknown", "timeout", f'{{"at":{ago}}}', 1))
    for job_key in (answered, lost):
        apply_receipt(ledger, job_key, "delivered", at_ms=1)
        apply_receipt(ledger, job_key, "delivered", at_ms=1)
    flat = link.command("HGETALL", f"{ledger.prefix}count")
    counts = {name.decode(): int(value) for name, value in zip(flat[::2], flat[1::2], strict=True)}
    assert sum(number for name, number in counts.items() if name.startswith("receipt_le|delivered|")) == 2
    assert counts["receipt_ms|delivered"] >= 40_000
