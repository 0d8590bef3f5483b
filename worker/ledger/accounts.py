"""An account's state, set by hand: rate, shares, pause, resume, and its templates'."""

from __future__ import annotations

from interakt_jobs.errors import Unregistered

from .work_ledger import LANES, WorkLedger, load

CONFIRM_LOSS = load("confirm_loss")


def _state(ledger: WorkLedger) -> str:
    key = f"{ledger.prefix}state"
    if not ledger.link.command("HEXISTS", key, "since"):
        raise Unregistered(ledger.account)
    return key


def set_rate(ledger: WorkLedger, calls: int, window_seconds: float) -> None:
    """Allow ``calls`` in any window of ``window_seconds``; holds for all workers from their next call on."""
    ledger.link.command(
        "HSET", _state(ledger), "rate", calls, "window_ms", int(window_seconds * 1000), "factor", "1"
    )


def parse_shares(text: str) -> dict[str, int]:
    """``urgent=60,normal=20,bulk=20`` as percentages; raises ``ValueError``."""
    try:
        shares = {
            name.strip(): int(value) for name, _, value in (part.partition("=") for part in text.split(","))
        }
    except ValueError:
        raise ValueError("shares look like urgent=60,normal=20,bulk=20") from None
    if set(shares) != set(LANES) or sum(shares.values()) > 100 or min(shares.values()) < 1:
        raise ValueError(
            "shares name urgent, normal and bulk, each at least 1 and together at most 100 percent"
        )
    return shares


def set_shares(ledger: WorkLedger, text: str) -> None:
    """Set what each lane is guaranteed; raises ``ValueError``."""
    flat = [value for lane, share in parse_shares(text).items() for value in (f"share_{lane}", share)]
    ledger.link.command("HSET", _state(ledger), *flat)


def pause(ledger: WorkLedger, seconds: float, why: str) -> None:
    """Stop all calls for ``seconds``, or until ``resume``."""
    now = int(ledger.link.command("TIME")[0]) * 1000
    ledger.link.command(
        "HSET",
        _state(ledger),
        "paused_until",
        now + int(seconds * 1000),
        "why",
        why,
        "by_hand",
        1,
        "breaker",
        "closed",
    )


def resume(ledger: WorkLedger) -> None:
    """End a pause, close the breaker, lift a cut of the rate and ring the pacer."""
    ledger.link.command(
        "HSET", _state(ledger), "paused_until", 0, "why", "", "by_hand", 0, "breaker", "closed", "opened", 0, "fails", 0,
        "factor", "1", "strikes", 0,
    )  # fmt: skip
    ledger.link.command("DEL", f"{ledger.prefix}probe")
    ledger.link.command("RPUSH", f"{ledger.prefix}bell", "1")


def confirm_loss(ledger: WorkLedger) -> bool:
    """Let bulk, and the jobs of older data, go again after a loss of Redis' data; returns whether that waited for it."""
    return bool(ledger.link.run(CONFIRM_LOSS, [ledger.prefix]))


def pause_template(
    ledger: WorkLedger, group: str, seconds: float, why: str, at_ms: int | None = None
) -> None:
    """Park the jobs of a template (``name:language``) for ``seconds`` from now, or from when Meta decided it."""
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
    seconds, micros = map(int, ledger.link.command("TIME"))
    at = seconds * 1000 + micros // 1000 if at_ms is None else at_ms
    key = f"{ledger.prefix}decided"
    ledger.link.command("ZADD", key, "GT", at, group)
    stale = at_ms is not None and float(ledger.link.command("ZSCORE", key, group)) > at_ms
    return None if stale else at
