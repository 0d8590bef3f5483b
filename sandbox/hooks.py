"""Where an account's webhooks go, what goes wrong with them on purpose, and what became of them."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

from sandbox import clock

FAILURES_ALLOWED, FAILURE_SPAN = 5, 600.0
STATUSES = ("sent", "delivered", "read", "clicked", "failed")
SHARES = ("share_double", "share_shuffle", "share_drop", "share_forge", "share_fail")


@dataclass
class Hook:
    """One webhook's settings and counters; shares are 0 to 1, ``delay_ms`` [least, most] before each status,
    ``connections`` how many are sent at once (1 keeps the order they have).

    After five failures within ten minutes it is disabled (interakt-api 6), unless ``auto_disable`` is off.
    """

    url: str = ""
    secret: str = ""
    rcs_url: str = ""
    sign_rcs: bool = False
    delay_ms: tuple[float, float] = (50.0, 50.0)
    share_double: float = 0.0
    share_shuffle: float = 0.0
    share_drop: float = 0.0
    share_forge: float = 0.0
    share_fail: float = 0.0
    fail_code: str = "131026"
    fail_phones: dict[str, str] = field(default_factory=dict)
    statuses: tuple[str, ...] = ("sent", "delivered", "read")
    no_retry: bool = True
    auto_disable: bool = True
    seed: int | None = None
    connections: int = 16
    disabled: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    failures: deque[float] = field(default_factory=lambda: deque(maxlen=FAILURES_ALLOWED))

    def failed(self) -> None:
        """Count one failure, and disable the webhook when it was one too many."""
        now = clock.now()
        self.counts["failed"] += 1
        self.failures.append(now)
        many = len(self.failures) == FAILURES_ALLOWED and self.failures[0] > now - FAILURE_SPAN
        self.disabled = self.disabled or (self.auto_disable and many)

    def shown(self) -> dict[str, Any]:
        """Settings without the secret, and the counters."""
        hidden = ("secret", "counts", "failures", "delay_ms")
        shown = {name: value for name, value in vars(self).items() if name not in hidden}
        return shown | {"delay_ms": list(self.delay_ms), "counts": dict(self.counts)}


def read(given: dict[str, Any]) -> Hook:
    """A hook from JSON; raises ``ValueError`` that says what is wrong."""
    hook = Hook()
    for name, value in given.items():
        if name == "delay_ms":
            low, high = value if isinstance(value, list) else (value, value)
            hook.delay_ms = float(low), float(high)
        elif name in SHARES:
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
                raise ValueError(f"{name}: a number from 0 to 1")
            setattr(hook, name, float(value))
        elif name == "statuses":
            if not isinstance(value, list) or set(value) - set(STATUSES):
                raise ValueError(f"statuses: a list of {', '.join(STATUSES)}")
            hook.statuses = tuple(value)
        elif name in ("url", "rcs_url"):
            if value and not str(value).startswith(("http://", "https://")):
                raise ValueError(f"{name}: an http or https URL")
            setattr(hook, name, str(value))
        elif name in ("sign_rcs", "no_retry", "auto_disable"):
            setattr(hook, name, bool(value))
        elif name == "fail_phones":
            hook.fail_phones = {str(phone): str(code) for phone, code in dict(value).items()}
        elif name in ("secret", "fail_code"):
            setattr(hook, name, str(value))
        elif name == "seed":
            hook.seed = value
        elif name == "connections":
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError("connections: a whole number from 1")
            hook.connections = value
        else:
            raise ValueError(f"{name}: unknown, known are {', '.join(sorted(vars(hook)))}")
    return hook
