"""An account's state, set by hand: rate, shares, pause, resume, and its templates'."""

from __future__ import annotations

from collections.abc import Mapping

from marshmallow import ValidationError

from config.fields import Shares
from interakt_jobs.errors import Unregistered
from interakt_jobs.ledger.redis_client import Argument

from .work_ledger import WorkLedger, load

CONFIRM_LOSS = load("confirm_loss")


def _set(ledger: WorkLedger, fields: Mapping[str, Argument]) -> None:
    key = f"{ledger.prefix}state"
    if not ledger.link.command("HEXISTS", key, "since"):
        raise Unregistered(ledger.account)
    ledger.link.command("HSET", key, *(word for pair in fields.items() for word in pair))


def set_rate(ledger: WorkLedger, calls: int, window_seconds: float) -> None:
    """Allow ``calls`` in any window of ``window_seconds``; holds for all workers from their next call on."""
    _set(ledger, {"rate": calls, "window_ms": int(window_seconds * 1000), "factor": "1"})


def set_shares(ledger: WorkLedger, text: str) -> None:
    """Set what each lane is guaranteed, ``urgent=60,normal=20,bulk=20`` in percent; raises ``ValueError``."""
    try:
        shares = Shares().deserialize(text)
    except ValidationError as error:
        raise ValueError(str(error.messages[0])) from None
    _set(ledger, {f"share_{lane}": share for lane, share in shares.items()})


def pause(ledger: WorkLedger, seconds: float, why: str) -> None:
    """Stop all calls for ``seconds``, or until ``resume``."""
    until = ledger.link.now_ms() + int(seconds * 1000)
    _set(ledger, {"paused_until": until, "why": why, "by_hand": 1, "breaker": "closed"})


def resume(ledger: WorkLedger) -> None:
    """End a pause, close the breaker, lift a cut of the rate and wake the dispatcher."""
    zero = dict.fromkeys(("paused_until", "by_hand", "opened", "fails", "strikes"), 0)
    _set(ledger, {**zero, "why": "", "breaker": "closed", "factor": "1"})
    ledger.link.command("DEL", f"{ledger.prefix}probe")
    ledger.link.command("RPUSH", f"{ledger.prefix}signal", "1")


def confirm_loss(ledger: WorkLedger) -> bool:
    """Let bulk, and the jobs of older data, go again after a loss of Redis' data; returns whether that waited for it."""
    return bool(ledger.link.run(CONFIRM_LOSS, [ledger.prefix]))


def pause_template(
    ledger: WorkLedger, group: str, seconds: float, why: str, at_ms: int | None = None
) -> None:
    """Let the jobs of a template (``name:language``) wait for ``seconds`` from now, or from when Meta decided it."""
    if (at := _decided(ledger, group, at_ms)) is None:
        return
    until = at + int(seconds * 1000)
    ledger.link.command("HSET", f"{ledger.prefix}groups", group, f"{until}|1|{why.replace('|', '/')}")


def resume_template(ledger: WorkLedger, group: str, at_ms: int | None = None) -> bool:
    """Let a template's jobs go again, as soon as the reaper looks; returns whether it was paused."""
    if _decided(ledger, group, at_ms) is None:
        return False
    found = bool(ledger.link.command("HDEL", f"{ledger.prefix}groups", group))
    ledger.link.command("DEL", f"{ledger.prefix}probe:{group}")
    return found


def _decided(ledger: WorkLedger, group: str, at_ms: int | None) -> int | None:
    """When it was decided, now if ``at_ms`` is None; None when something was decided later."""
    at = ledger.link.now_ms() if at_ms is None else at_ms
    key = f"{ledger.prefix}decided"
    ledger.link.command("ZADD", key, "GT", at, group)
    stale = at_ms is not None and float(ledger.link.command("ZSCORE", key, group)) > at_ms
    return None if stale else at
