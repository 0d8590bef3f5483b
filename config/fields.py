"""Fields for a schema over the environment: every value arrives as text."""

from __future__ import annotations

import ipaddress
import math
import re
from typing import Any
from urllib.parse import urlsplit

from kombu.connection import Connection
from marshmallow import ValidationError, fields

from .hosts import is_public
from .secret import Secret

_ON, _OFF = frozenset({"1", "on", "true", "yes"}), frozenset({"0", "off", "false", "no"})
_TASK = re.compile(r"[A-Za-z_][\w.\-]{0,199}\Z")
_DATABASE = re.compile(r"/?|/[0-9]{1,5}")
_BAD_CHECK = re.compile(r"[?&]ssl_cert_reqs=(?!(?:cert_)?(?:required|optional|none)(?:&|\Z))", re.IGNORECASE)
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
            raise ValidationError(f"{value!r} is no number: use {self.allowed()}") from None
        if not self.least <= number <= self.most or math.isinf(number) or (self.whole and number % 1):
            raise ValidationError(f"{value!r} is not allowed: use {self.allowed()}")
        return int(number) if self.whole else number

    def allowed(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        if math.isinf(self.most):
            return f"{kind}, {self.least:g} or more"
        return f"{kind} from {self.least:g} to {self.most:.10g}"


class Switch(fields.Field[bool]):
    """``on`` or ``off``."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> bool:
        word = value.lower()
        if word not in _ON | _OFF:
            raise ValidationError(f"{value!r} is no switch: use on or off")
        return word in _ON


class Choice(fields.Field[str]):
    """One of ``choices``; case does not matter."""

    def __init__(self, *choices: str, **options: Any) -> None:
        super().__init__(**options)
        self.choices = choices

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:
        found = {choice.lower(): choice for choice in self.choices}.get(value.lower())
        if found is None:
            raise ValidationError(f"{value!r} is not known: use {', '.join(self.choices)}")
        return found


class Hidden(fields.Field[Secret]):
    """A secret of ``least`` characters or more; its text is in no message."""

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


class Dsn(Hidden):
    """Sentry's ``https://key@host/project``."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Secret:
        parts = urlsplit(value) if _split(value) else None
        known = parts and parts.scheme in ("http", "https") and parts.username and parts.hostname
        if not parts or not known or not parts.path.rpartition("/")[2].isdecimal():
            raise ValidationError(
                "it is no DSN of Sentry's: use https://key@host/1, from the project's Client Keys"
            )
        if parts.scheme == "http" and is_public(parts.hostname or ""):
            raise ValidationError("http:// lets anybody on the way read the reports: use https://")
        return super()._deserialize(value, attr, data, **options)


class Web(fields.Field[str]):
    """An http(s) URL that ends in a slash."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:
        parts = _split(value)
        if parts is None or parts[0] not in ("http", "https") or not parts[1]:
            raise ValidationError("it is no URL: use https://host/path/")
        if "?" in value or "#" in value or "@" in value:
            raise ValidationError("it must have no ?, # or @: use https://host/path/")
        if parts[0] == "http" and is_public(parts[1]):
            raise ValidationError("http:// lets anybody on the way read the key: use https://")
        return f"{value.rstrip('/')}/"


class Store(fields.Field[str]):
    """A Redis URL; celery's ``redis+socket://`` is understood."""

    schemes: tuple[str, ...] = ("redis", "rediss", "unix", "redis+socket")
    fix = "use redis://host:6379/0, rediss://host:6380/0 or redis+socket:///path"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:
        parts = _split(value)
        if parts is None or parts[0] not in self.schemes:
            raise ValidationError(f"it is no URL that we can use: {self.fix}")
        if parts[0] in ("redis", "rediss") and not parts[1]:
            raise ValidationError(f"it names no host: {self.fix}")
        if parts[0] in ("redis", "rediss") and not _DATABASE.fullmatch(urlsplit(value).path):
            raise ValidationError(f"its database is no number: {self.fix}")
        if _BAD_CHECK.search(value):
            raise ValidationError("its ssl_cert_reqs is not known: use required, optional or none")
        return str(value)


class Broker(Store):
    """The URL of a Celery broker, Redis or another, that kombu can use as it stands."""

    schemes = ("redis", "rediss", "redis+socket", "amqp", "amqps", "pyamqp", "sqs", "memory", "filesystem")
    fix = (
        "use the broker_url of the application that is to be told, such as redis://host:6379/1 or amqp://host"
    )

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        url = super()._deserialize(value, attr, data, **options)
        if url.startswith("redis+socket:") and "?" in url:
            raise ValidationError("with a socket it takes no options: use redis+socket:///path")
        try:
            Connection(url).get_transport_cls()  # does not connect
        except Exception as error:  # noqa: BLE001  each transport has its own, and a missing package is one too
            found = f"Celery cannot use it ({type(error).__name__})"
            raise ValidationError(f"{found}; of options it takes only ssl_...: {self.fix}") from None
        return url


class Task(fields.Field[str]):
    """The name of a Celery task or queue."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:
        if not _TASK.match(value):
            raise ValidationError(f"{value!r} is no name: use letters, digits, dots, dashes and underscores")
        return str(value)


class Words(fields.Field[tuple[str, ...]]):
    """Texts with commas between them; compared without case."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> tuple[str, ...]:
        found = dict.fromkeys(word.strip().casefold() for word in value.split(","))
        found.pop("", None)
        return tuple(found)


class Addresses(fields.Field[tuple[str, ...]]):
    """IP addresses or networks with commas between them."""

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


def _split(value: str) -> tuple[str, str] | None:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return None
    return parts.scheme, parts.hostname or ""
