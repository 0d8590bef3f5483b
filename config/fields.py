"""Fields for a schema over the environment: every value arrives as text."""

from __future__ import annotations

import ipaddress
import math
import re
from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError, fields

from .secret import Secret
from .urls import is_public, split

_ON, _OFF = frozenset({"1", "on", "true", "yes"}), frozenset({"0", "off", "false", "no"})
_TASK = re.compile(r"[A-Za-z_][\w.\-]{0,199}\Z")
_PATH = re.compile(r"[A-Za-z0-9._~\-]+")
LEAST_SECRET = 8  # fewer are guessed, and are not hidden where they turn up
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


class Hidden(fields.Field[Secret]):
    """A secret of ``least`` characters or more; its text is in no message."""

    allowed = "secret"

    def __init__(self, least: int = 0, **options: Any) -> None:
        super().__init__(**options)
        self.least = least

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> Secret:
        if not value.isascii() or not value.isprintable():
            raise ValidationError(
                "it has characters that no key has: copy it again, without quotes or line breaks"
            )
        if len(value) < self.least:
            raise ValidationError(f"it is too short to be secret: use {self.least} characters or more")
        return Secret(value)


class PathSecret(Hidden):
    """A secret that is one part of a URL's path."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Secret:
        if not _PATH.fullmatch(value):
            raise ValidationError(
                "it stands in a URL: use letters, digits, dots, dashes and underscores alone"
            )
        return super()._deserialize(value, attr, data, **options)


class Dsn(Hidden):
    """Sentry's ``https://key@host/project``."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Secret:
        parts = urlsplit(value) if split(value) else None
        known = parts and parts.scheme in ("http", "https") and parts.username and parts.hostname
        if not parts or not known or not parts.path.rpartition("/")[2].isdecimal():
            raise ValidationError(
                "it is no DSN of Sentry's: use https://key@host/1, from the project's Client Keys"
            )
        if parts.scheme == "http" and is_public(parts.hostname or ""):
            raise ValidationError("http:// lets anybody on the way read the reports: use https://")
        return super()._deserialize(value, attr, data, **options)


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
