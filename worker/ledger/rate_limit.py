"""Permits for calls that are no jobs."""

from __future__ import annotations

import time

from .work_ledger import WorkLedger, load

PERMIT = load("permit")


def take_permit(ledger: WorkLedger, *, lane: str = "normal", timeout: float = 10.0) -> bool:
    """Take a permit, waiting at most ``timeout`` seconds for it; False when there was none.

    An account that no worker registered has no budget yet, and nobody to share it with: True at once.
    """
    end = time.monotonic() + timeout
    while True:
        wait = int(ledger.link.run(PERMIT, [ledger.prefix], lane))
        if wait <= 0:
            return True
        if time.monotonic() + wait / 1000 > end:
            return False
        time.sleep(wait / 1000)
