"""The silence alarm on a real server: it sounds once, and ends with the next receipt."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from worker.cli.status import table
from worker.ledger import status
from worker.ledger.work_ledger import WorkLedger
from worker.web.metrics import Metrics
from worker.webhooks.silence import Silence
from worker.webhooks.spool import Spool


def heard(silence: Silence, ledger: WorkLedger, until: Callable[[str], bool]) -> str:
    """What the account's state says of the alarm, asked until it is as wanted."""
    end = time.monotonic() + 60
    found = ""
    while time.monotonic() < end:
        silence.check(ledger)
        found = (ledger.link.command("HGET", f"{ledger.prefix}state", "webhooks_alarm") or b"").decode()
        if until(found):
            break
        time.sleep(0.1)
    return found


def test_sends_without_receipts_sound_one_alarm_until_one_comes(
    ledger: WorkLedger, caplog: pytest.LogCaptureFixture
) -> None:
    silence, counts = Silence(minutes=0.02), f"{ledger.prefix}count"
    silence.check(ledger)
    ledger.link.command("HINCRBY", counts, "outcome|send_text|normal|accepted", 7)
    assert heard(silence, ledger, lambda kind: kind == "silent") == "silent"
    time.sleep(0.5)
    silence.check(ledger)
    (record,) = caplog.records
    assert record.levelname == "CRITICAL" and "7 sends were accepted" in record.getMessage()
    assert "Developer Settings, Webhook" in record.getMessage()
    now = int(ledger.link.command("TIME")[0]) * 1000 + 600_000
    ledger.link.command("HSET", f"{ledger.prefix}state", "receipts_at", now)
    assert heard(silence, ledger, lambda kind: kind == "") == ""


def test_wrong_signatures_sound_their_own(ledger: WorkLedger, caplog: pytest.LogCaptureFixture) -> None:
    silence = Silence(minutes=0.02)
    silence.check(ledger)
    ledger.link.command("HINCRBY", f"{ledger.prefix}count", "webhook|bad_signature", 9)
    assert heard(silence, ledger, lambda kind: kind == "signatures") == "signatures"
    assert "INTERAKT_WEBHOOK_SECRET" in caplog.text


def test_the_alarm_is_a_figure_and_a_line_of_the_status(
    ledger: WorkLedger, tmp_path: Path, redis_url: str
) -> None:
    ledger.link.command("HSET", f"{ledger.prefix}state", "webhooks_alarm", "silent")
    spool = Spool(tmp_path)
    assert b'interakt_webhooks_alarm{account="default"} 1.0' in Metrics(redis_url, spool).text()
    spool.close()
    console = Console(width=120, record=True)
    console.print(table(status.read(ledger.link, "default")))
    assert "NO RECEIPTS" in console.export_text()
