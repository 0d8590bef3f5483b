"""Fields for URLs of the environment: each is tried as what will use it reads it, without connecting."""

from __future__ import annotations

import ipaddress
import os
import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from kombu.connection import Connection
from marshmallow import ValidationError, fields

# Zones in which a host may be spoken to in clear text.
PRIVATE = (".localhost", ".local", ".internal", ".lan", ".test", ".home.arpa", ".svc", ".cluster.local")
_DATABASE = re.compile(r"/?|/[0-9]{1,5}")
_CHECKS = frozenset({"required", "optional", "none"})
_FILES = frozenset({"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"})
_HOST = re.compile(r"[a-z0-9.\-_:]+", re.IGNORECASE)


class Web(fields.Field[str]):
    """An http(s) URL that ends in a slash."""

    allowed = "URL"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:
        parts = split(value)
        if parts is None or parts[0] not in ("http", "https") or not parts[1]:
            raise ValidationError("it is no URL: use https://host/path/")
        if not _is_host(parts[1]):
            raise ValidationError("its host is none: use https://host/path/")
        if "?" in value or "#" in value or "@" in value:
            raise ValidationError("it must have no ?, # or @: use https://host/path/")
        if parts[0] == "http" and is_public(parts[1]):
            raise ValidationError("http:// lets anybody on the way read the key: use https://")
        return f"{value.rstrip('/')}/"


class Store(fields.Field[str]):
    """A Redis URL; celery's ``redis+socket://`` is understood."""

    allowed = "URL"
    schemes: tuple[str, ...] = ("redis", "rediss", "unix", "redis+socket")
    with_db = frozenset({"unix", "redis+socket"})
    fix = "use redis://host:6379/0, rediss://host:6380/0 or redis+socket:///path"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:
        parts = split(value)
        if parts is None or parts[0] not in self.schemes:
            raise ValidationError(f"it is no URL that we can use: {self.fix}")
        if parts[0] in ("redis", "rediss") and not parts[1]:
            raise ValidationError(f"it names no host: {self.fix}")
        if parts[0] in ("redis", "rediss") and not _DATABASE.fullmatch(urlsplit(value).path):
            raise ValidationError(f"its database is no number: {self.fix}")
        if parts[0] in Store.schemes:
            self._try_options(value, parts[0])
        return str(value)

    def _try_options(self, value: str, scheme: str) -> None:
        """redis-py and kombu read an option each in its own way; these few are the same to both."""
        for name, given in parse_qsl(urlsplit(value).query, keep_blank_values=True):
            if name == "db" and given.isdecimal() and scheme in self.with_db:
                continue
            if scheme != "rediss" or name not in _FILES | {"ssl_cert_reqs", "ssl_check_hostname"}:
                raise ValidationError(f"it takes no option {name!r}, only rediss' own, ssl_...: {self.fix}")
            if name == "ssl_cert_reqs" and given.lower().removeprefix("cert_") not in _CHECKS:
                raise ValidationError("its ssl_cert_reqs is not known: use required, optional or none")
            if name in _FILES and not os.access(given, os.R_OK):
                raise ValidationError(
                    f"its {name} names no file that can be read: mount it, or correct the path"
                )


class Broker(Store):
    """The URL of a Celery broker, Redis or another, that kombu can use as it stands."""

    schemes = ("redis", "rediss", "redis+socket", "amqp", "amqps", "pyamqp", "sqs", "memory", "filesystem")
    with_db: frozenset[str] = frozenset()  # kombu takes no notice of it
    fix = "use the broker_url of the application whose tasks are called, such as redis://host:6379/1 or amqp://host"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        url = super()._deserialize(value, attr, data, **options)
        try:
            Connection(url).get_transport_cls()  # does not connect
        except Exception as error:  # noqa: BLE001  each transport has its own, and a missing package is one too
            found = f"Celery cannot use it ({type(error).__name__})"
            raise ValidationError(f"{found}: {self.fix}") from None
        return url


def _is_host(host: str) -> bool:
    try:
        return bool(_HOST.fullmatch(host.encode("idna").decode()))
    except UnicodeError:
        return False


def split(value: str) -> tuple[str, str] | None:
    """A URL's scheme and host; None for what is no URL."""
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return None
    return parts.scheme, parts.hostname or ""


def is_public(host: str) -> bool:
    """Whether ``host`` may be anywhere: an address of the internet, or a name with a dot that is of no private zone.

    An address written as one number is not read, and may be anywhere.
    """
    host = host.rstrip(".").lower()
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host.isdigit() or ("." in host and not host.endswith(PRIVATE))
    return address.is_global
