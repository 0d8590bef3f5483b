"""Faults on purpose: rules that say which calls go wrong, how, and how often."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox import answers
from sandbox.answers import Reply

# The order in which one draw is shared out. Before `share_drip`: instead of the API's answer.
INSTEAD = (
    "reset_before_reading",
    "share_429",
    "share_500",
    "share_503",
    "html_502",
    "result_false_2xx",
    "reset_after_reading",
    "share_hang",
    "share_status",
)
AFTERWARDS = ("accept_lose_answer", "drip_bytes", "endless_body")
ALIASES = {f"share_{name}": name for name in ("html_502", "result_false_2xx", *AFTERWARDS)} | {
    "share_reset_before_reading": "reset_before_reading",
    "share_reset_after_reading": "reset_after_reading",
}
STATUS_TEXTS = {
    400: answers.EMPTY_WALLET,
    401: answers.BAD_KEY,
    403: answers.NO_PLAN,
    429: answers.TOO_MANY,
}


@dataclass
class Rule:
    """One rule. Shares are 0 to 1 (true is 1), together at most 1; everything else narrows or shapes them."""

    latency_ms: tuple[float, float] = (0.0, 0.0)
    hold: bool = False
    shares: dict[str, float] = field(default_factory=dict)
    accepted: float = 0.0
    status: int = 0
    message: str = ""
    hang_seconds: float = 0.0
    drip_ms: float = 20.0
    only_operations: frozenset[str] = frozenset()
    only_jobs: frozenset[str] = frozenset()
    only_accounts: frozenset[str] = frozenset()
    times: int | None = None
    seed: int | None = None
    fired: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def matches(self, operation: str, job: str | None, account: str | None) -> bool:
        """Whether the rule speaks of this call."""
        return (
            (not self.only_operations or operation in self.only_operations)
            and (not self.only_jobs or job in self.only_jobs)
            and (not self.only_accounts or account in self.only_accounts)
        )

    def draw(self) -> str:
        """The fault of this call, or an empty string."""
        if not self.shares or self.times == 0:
            return ""
        number = self.random.random()
        for name, share in self.shares.items():
            number -= share
            if number < 0:
                self.fired += 1
                if self.times is not None:
                    self.times -= 1
                return name
        return ""

    def give_back(self) -> None:
        """The fault that was drawn did not happen: the call was refused before."""
        self.fired -= 1
        if self.times is not None:
            self.times += 1

    def delay(self) -> float:
        """Seconds before the answer; infinite until the rules change."""
        if self.hold:
            return math.inf
        low, high = self.latency_ms
        return (low if low == high else self.random.uniform(low, high)) / 1000

    def was_accepted(self) -> bool:
        """Whether a call that gets no true answer is carried out all the same."""
        return self.accepted >= 1 or (self.accepted > 0 and self.random.random() < self.accepted)

    def reply(self, name: str, retry_after: bool) -> Reply:
        """What is sent instead of the API's answer."""
        match name:
            case "share_429":
                headers = "Retry-After: 1\r\n" if retry_after else ""
                return Reply(429, answers.encode({"message": answers.TOO_MANY}), headers=headers)
            case "share_500":
                return answers.refusal(500, answers.BROKEN)
            case "share_503":
                return answers.page(503, "Service Temporarily Unavailable")
            case "html_502":
                return answers.page(502, "Bad Gateway")
            case "result_false_2xx":
                return answers.refusal(200, self.message or answers.BROKEN)
            case "share_hang":
                return Reply(0, b"", manner="hang", delay=self.hang_seconds)
            case "share_status":
                text = self.message or STATUS_TEXTS.get(self.status, answers.BROKEN)
                return answers.refusal(self.status, text)
            case _:
                return Reply(0, b"", manner="reset")

    def spoil(self, name: str, reply: Reply) -> None:
        """Send the API's own answer badly."""
        reply.manner = {"accept_lose_answer": "reset", "drip_bytes": "drip", "endless_body": "endless"}[name]
        reply.pace = self.drip_ms / 1000

    def shown(self) -> dict[str, Any]:
        """The rule in the form in which it can be set again, and how often it ``fired``."""
        shown: dict[str, Any] = {
            "latency_ms": list(self.latency_ms),
            "hold": self.hold,
            **self.shares,
            "fired": self.fired,
        }
        for name in ("accepted", "status", "message", "hang_seconds", "drip_ms", "times", "seed"):
            shown[name] = getattr(self, name)
        for name in ("only_operations", "only_jobs", "only_accounts"):
            shown[name] = sorted(getattr(self, name))
        return shown


def read(given: Any) -> Rule:
    """A rule from JSON; raises ``ValueError`` or ``TypeError`` that says what is wrong."""
    if not isinstance(given, dict):
        raise TypeError("a rule is an object")
    rule, shares = Rule(seed=given.get("seed")), {}
    for raw, value in given.items():
        name = ALIASES.get(raw, raw)
        if name in INSTEAD or name in AFTERWARDS:
            shares[name] = _number(name, value, most=1)
        elif name == "latency_ms":
            pair = value if isinstance(value, list) else [value, value]
            if len(pair) != 2:
                raise ValueError("latency_ms: a number, or [least, most]")
            low, high = (_number(name, one) for one in pair)
            rule.latency_ms = low, high
        elif name in ("only_operations", "only_jobs", "only_accounts"):
            if not isinstance(value, list):
                raise ValueError(f"{name}: a list")
            setattr(rule, name, frozenset(value))
        elif name in ("status", "times"):
            setattr(rule, name, None if value is None else int(_number(name, value)))
        elif name == "message":
            rule.message = str(value)
        elif name == "hold":
            rule.hold = bool(value)
        elif name in ("accepted", "hang_seconds", "drip_ms"):
            setattr(rule, name, _number(name, value))
        elif name not in ("seed", "fired"):
            raise ValueError(f"{raw}: unknown, known are {', '.join(NAMES)}")
    if rule.status:
        shares.setdefault("share_status", 1 - sum(shares.values()))
    if sum(shares.values()) > 1 + 1e-9:
        raise ValueError("the shares add up to more than 1")
    rule.shares = {name: shares[name] for name in (*INSTEAD, *AFTERWARDS) if shares.get(name)}
    return rule


NAMES = (
    "latency_ms",
    "hold",
    *INSTEAD,
    *AFTERWARDS,
    "accepted",
    "status",
    "message",
    "hang_seconds",
    "drip_ms",
    "only_operations",
    "only_jobs",
    "only_accounts",
    "times",
    "seed",
)


def _number(name: str, value: Any, most: float | None = None) -> float:
    if isinstance(value, bool):
        value = float(value)
    if not isinstance(value, int | float) or value < 0 or (most is not None and value > most):
        raise ValueError(f"{name}: a number from 0" + (f" to {most}" if most else ""))
    return float(value)


class Faults:
    """The rules in force: the delays of all that match add up, the first fault that is drawn happens."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self.held: list[Callable[[], None]] = []

    def set(self, given: Any) -> None:
        """Replace all rules by one, or by a list of them, and let go what they held; raises ``ValueError``."""
        self.rules = [read(one) for one in (given if isinstance(given, list) else [given])]
        held, self.held = self.held, []
        for answer in held:
            answer()

    def draw(self, operation: str, job: str | None, account: str | None) -> tuple[float, str, Rule | None]:
        """Seconds of delay, the name of the fault (or an empty string) and its rule, for one call."""
        delay, name, by = 0.0, "", None
        for rule in self.rules:
            if rule.matches(operation, job, account):
                delay += rule.delay()
                if not name and (name := rule.draw()):
                    by = rule
        return delay, name, by
