"""What each account is doing now, read from the ledger."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from interakt_jobs.ledger.constants import LANES
from interakt_jobs.ledger.keys import ACCOUNTS, POISON, WORKERS, prefix
from interakt_jobs.ledger.redis_client import RedisClient, milliseconds, pairs

HASHES = ("state", "used", "groups", "count")
# Fields of ``Status`` that are the size of a key.
SIZES = {
    "held": ("ZCARD", "held"),
    "dead": ("ZCARD", "dead"),
    "delivery_failed": ("ZCARD", "failed"),
    "outbox": ("LLEN", "outbox"),
    "optouts_open": ("HLEN", "optout_open"),
    "set_aside": ("HLEN", "aside"),
}


@dataclass(frozen=True, slots=True)
class Lane:
    """Jobs of one lane by where they are; ``oldest_ms`` is how long the oldest ready one has been due."""

    ready: int
    waiting: int
    released: int
    running: int
    oldest_ms: int
    doubt: int = 0


@dataclass(frozen=True, slots=True)
class Status:
    """One account: its allowance (calls in a window of ms), what was used of it in the last minute, why it is paused."""

    account: str
    rate: int
    window_ms: int
    factor: float
    used_last_minute: int
    paused_ms: int
    why: str
    breaker: str
    full: str
    lanes: dict[str, Lane]
    held: int
    parked: dict[str, int]
    paused_templates: dict[str, str]
    dead: int
    dead_by_reason: dict[str, int]
    delivery_failed: int
    outbox: int
    webhooks_alarm: str = ""
    optouts_open: int = 0
    keyless_ms: int = 0
    lost_ms: int = 0
    set_aside: int = 0
    lost_why: str = ""
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def waiting(self) -> int:
        """Jobs that have not ended."""
        lanes = (each.ready + each.waiting + each.released + each.running for each in self.lanes.values())
        return sum(lanes) + self.held + sum(self.parked.values())

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def read(link: RedisClient, account: str) -> Status:
    """The account's status in two round trips, whatever its backlog."""
    own = prefix(account)
    now = link.now_ms()
    commands: list[list[Any]] = [["SMEMBERS", f"{own}templates_waiting"]]
    commands += [["HGETALL", f"{own}{name}"] for name in HASHES]
    commands += [[command, f"{own}{name}"] for command, name in SIZES.values()]
    for lane in LANES:
        ready = f"{own}ready:{lane}"
        commands += [
            ["ZCOUNT", ready, "-inf", now], ["ZCOUNT", ready, f"({now}", "+inf"], ["ZCARD", f"{own}rel:{lane}"],
            ["ZCARD", f"{own}run:{lane}"], ["ZRANGE", ready, 0, 0, "WITHSCORES"],
            ["ZCARD", f"{own}doubt:{lane}"],
        ]  # fmt: skip
    templates, *answers = link.pipeline(commands)
    state, used, groups, counted = map(_pairs, answers[: len(HASHES)])
    sizes, lanes = answers[len(HASHES) :][: len(SIZES)], answers[len(HASHES) + len(SIZES) :]
    parked = [["ZCARD", f"{own}waiting_for_template:".encode() + name] for name in templates]
    waiting = link.pipeline(parked) if parked else []
    counts = {name: _number(value) for name, value in counted.items()}
    paused = _number(state.get("paused_until")) - now
    return Status(
        account=account,
        rate=_number(state.get("rate")),
        window_ms=_number(state.get("window_ms")) or 60000,
        factor=_number(state.get("factor"), float) or 1.0,
        used_last_minute=_used(used, now // 1000),
        paused_ms=max(0, paused),
        why=state.get("why", "") if paused > 0 or state.get("breaker") == "open" else "",
        breaker=state.get("breaker") or "closed",
        full=state.get("full", ""),
        lanes={lane: _lane(lanes[6 * i : 6 * i + 6], now) for i, lane in enumerate(LANES)},
        parked=dict(zip(map(_text, templates), waiting, strict=True)),
        paused_templates={
            name: value.split("|", 2)[-1]
            for name, value in groups.items()
            if _number(value.split("|", 1)[0]) > now
        },
        dead_by_reason={name.split("|", 1)[1]: n for name, n in counts.items() if name.startswith("dead|")},
        webhooks_alarm=state.get("webhooks_alarm", ""),
        keyless_ms=max(1, now - int(state["keyless"])) if "keyless" in state else 0,
        lost_ms=max(1, now - int(state["lost_at"])) if "lost_at" in state else 0,
        lost_why=state.get("lost_why", ""),
        counts=counts,
        **dict(zip(SIZES, sizes, strict=True)),
    )


def losses(link: RedisClient) -> list[str]:
    """The accounts whose data Redis has lost and nobody has confirmed it."""
    names = sorted(name.decode() for name in link.command("SMEMBERS", ACCOUNTS))
    lost = link.pipeline([["HEXISTS", f"{prefix(name)}state", "lost_at"] for name in names]) if names else []
    return [name for name, found in zip(names, lost, strict=True) if found]


def workers(link: RedisClient) -> list[dict[str, Any]]:
    """The worker processes that said something in the last ten minutes, each with ``age_ms``."""
    clock, found = link.pipeline([["TIME"], ["HGETALL", WORKERS]])
    now = milliseconds(clock)
    entries = [json.loads(raw) for raw in found[1::2]]
    return [{**entry, "age_ms": max(0, now - entry["at"])} for entry in entries]


def poison(link: RedisClient) -> int:
    """How many messages that were not ours are kept."""
    return int(link.command("XLEN", POISON))


def _number(text: str | None, kind: type[Any] = int) -> Any:
    """What a field of ours holds, 0 for what is no number."""
    try:
        return kind(text or 0)
    except ValueError:
        return kind(0)


def _lane(answers: list[Any], now: int) -> Lane:
    ready, waiting, released, running, head, doubt = answers
    oldest = max(0, now - int(float(head[1]))) if head else 0
    return Lane(ready, waiting, released, running, oldest, doubt)


def _used(used: dict[str, str], second: int) -> int:
    entries = (value.partition(":") for value in used.values())
    return sum(_number(calls) for at, _, calls in entries if second - _number(at) < 60)


def _pairs(flat: list[bytes]) -> dict[str, str]:
    return {_text(name): _text(value) for name, value in pairs(flat).items()}


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
