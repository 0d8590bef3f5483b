"""Secrets: a text that does not show itself, and the fields that read one."""

from __future__ import annotations

import re
from typing import Any, NoReturn
from urllib.parse import urlsplit

from marshmallow import ValidationError, fields

from .urls import is_public, split

LEAST_SECRET = 8  # fewer are guessed, and are not hidden where they turn up
_PATH = re.compile(r"[A-Za-z0-9._~\-]+")


class Secret:
    """A text that is hidden in ``repr``, ``str``, formatting and pickles; ``reveal`` gives the text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret('[hidden]')"

    def __str__(self) -> str:
        return "[hidden]"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("secrets are not pickled")


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
