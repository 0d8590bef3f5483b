"""What can be set at the start (command line) and while running (``POST /_sandbox/settings``)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

CHOICES = {
    "window": ("sliding", "fixed"),
    "checks": ("default", "strict", "relaxed"),
    "answers": ("current", "seed"),
}
FIXED_AT_START = ("keep", "keep_bodies", "keys")


@dataclass
class Settings:
    """The sandbox's behaviour.

    ``calls_per_minute`` 0 means no limit; ``window_seconds`` scales it (3000 a minute in a window of 1 s is
    50 a second). ``checks``: ``default`` (customers must be tracked and have written within 24 hours,
    the document's 9999999999 always has), ``strict`` (9999999999 too), ``relaxed`` (nobody).
    ``keep`` is how many calls are remembered, ``keep_bodies`` how many of them with their body.
    """

    calls_per_minute: float = 300
    window_seconds: float = 60
    window: str = "sliding"
    retry_after: bool = False
    checks: str = "default"
    permissive: bool = False
    auto_approve: bool = False
    refuse_duplicates: bool = False
    answers: str = "current"
    keepalive_seconds: float = 0
    keep: int = 1_000_000
    keep_bodies: int = 10_000
    keys: tuple[str, ...] = ()

    @property
    def calls_per_window(self) -> int:
        """Calls allowed in one window; 0 means no limit."""
        if self.calls_per_minute <= 0:
            return 0
        return max(1, round(self.calls_per_minute * self.window_seconds / 60))

    def change(self, changes: dict[str, Any]) -> None:
        """Apply ``changes`` by name; raises ``ValueError`` that names every mistake and changes nothing."""
        mistakes = [message for name, value in changes.items() if (message := _mistake(name, value))]
        if mistakes:
            raise ValueError("; ".join(mistakes))
        for name, value in changes.items():
            setattr(self, name, value)

    def shown(self) -> dict[str, Any]:
        """All settings but the keys."""
        return {name: value for name, value in asdict(self).items() if name != "keys"}


def _mistake(name: str, value: Any) -> str:
    types = {
        field.name: type(field.default) for field in fields(Settings) if field.name not in FIXED_AT_START
    }
    wanted = types.get(name)
    if wanted is None:
        return f"{name}: unknown, known are {', '.join(sorted(types))}"
    if name in CHOICES:
        return "" if value in CHOICES[name] else f"{name}: must be one of {', '.join(CHOICES[name])}"
    if wanted is bool:
        return "" if isinstance(value, bool) else f"{name}: must be true or false"
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        return f"{name}: must be a number, 0 or more"
    return "window_seconds: must be above 0" if name == "window_seconds" and value == 0 else ""
