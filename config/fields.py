"""Fields for a schema over the environment: every value arrives as text."""

from __future__ import annotations

import ipaddress
import math
import re
from typing import Any

from marshmallow import ValidationError, fields

_ON, _OFF = frozenset({"1", "on", "true", "yes"}), frozenset({"0", "off", "false", "no"})
_TASK = re.compile(r"[A-Za-z_][\w.\-]{0,199}\Z")
LANES = ("urgent", "normal", "bulk")


class Number(fields.Float):
    """Seconds or a count, from ``least`` to ``most``; ``whole`` refuses fractions."""

    def __init__(
        self, least: float = 0, most: float = math.inf, *, whole: bool = False, **options: Any
    ) -> None:
        super().__init__(**options)
        self.least, self.most, self.whole = least, most, whole

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> float:
        try:
            number = float(value)
        except ValueError:
            raise ValidationError(f"{value!r} is no number: use {self.allowed}") from None
        if not self.least <= number <= self.most or math.isinf(number) or (self.whole and number % 1):
            raise ValidationError(f"{value!r} is not allowed: use {self.allowed}")
        return int(number) if self.whole else number

    @property
    def allowed(self) -> str:
        """The values that it takes, in words."""
        kind = "a whole number" if self.whole else "a number"
        if math.isinf(self.most):
            return f"{kind}, {self.least:g} or more"
        return f"{kind} from {self.least:g} to {self.most:.10g}"


class Switch(fields.Field[bool]):
    """``on`` or ``off``."""

    allowed = "on or off"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> bool:
        word = value.lower()
        if word not in _ON | _OFF:
            raise ValidationError(f"{value!r} is no switch: use on or off")
        return word in _ON


class Choice(fields.Field[str]):
    """One of ``choices``; case does not matter."""

    def __init__(self, *choices: str, **options: Any) -> None:
        super().__init__(**options)
        self.choices, self.allowed = choices, ", ".join(choices)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:
        found = {choice.lower(): choice for choice in self.choices}.get(value.lower())
        if found is None:
            raise ValidationError(f"{value!r} is not known: use {self.allowed}")
        return found


class Task(fields.Field[str]):
    """The name of a Celery task or queue."""

    allowed = "name"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:
        if not _TASK.match(value):
            raise ValidationError(f"{value!r} is no name: use letters, digits, dots, dashes and underscores")
        return str(value)


class Words(fields.Field[tuple[str, ...]]):
    """Texts with commas between them; compared without case."""

    allowed = "texts with commas"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> tuple[str, ...]:
        found = dict.fromkeys(word.strip().casefold() for word in value.split(","))
        found.pop("", None)
        return tuple(found)


class Addresses(fields.Field[tuple[str, ...]]):
    """IP addresses or networks with commas between them."""

    allowed = "addresses with commas"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> tuple[str, ...]:
        found = [part.strip() for part in value.split(",") if part.strip()]
        for part in found:
            try:
                ipaddress.ip_network(part, strict=False)
            except ValueError:
                raise ValidationError(
                    f"{part!r} is no address: use 192.0.2.7 or 192.0.2.0/24, with commas"
                ) from None
        return tuple(found)


class Shares(fields.Field[dict[str, int]]):
    """What each lane is guaranteed, in percent."""

    allowed = "percent"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> dict[str, int]:
        try:
            pairs = (part.partition("=") for part in value.split(","))
            shares = {name.strip(): int(percent) for name, _, percent in pairs}
        except ValueError:
            raise ValidationError(f"{value!r} cannot be read: use urgent=60,normal=20,bulk=20") from None
        if set(shares) != set(LANES) or min(shares.values()) < 1 or sum(shares.values()) > 100:
            raise ValidationError(
                "name urgent, normal and bulk, each at least 1 and together at most 100 percent: "
                "use urgent=60,normal=20,bulk=20"
            )
        return {lane: shares[lane] for lane in LANES}
