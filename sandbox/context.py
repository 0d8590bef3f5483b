"""What a view is given: the call, as far as it was understood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from sandbox.accounts import Account
from sandbox.answers import Refused
from sandbox.settings import Settings


@dataclass(slots=True)
class Context:
    """One authenticated call; ``id`` is for what it creates, ``rest`` the end of a path such as a user id."""

    settings: Settings
    account: Account
    id: str
    arrived: float
    json: Any
    raw: bytes
    content_type: str
    query_string: str
    rest: str = ""

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object that was sent; raises ``Refused`` when it is none."""
        if not isinstance(self.json, dict):
            raise Refused("JSON parse error - the body must be a JSON object")
        return self.json

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.query_string, keep_blank_values=True))

    def number(self, name: str, default: int, most: int | None = None) -> int:
        """A whole number of the query; raises ``Refused`` when it is none, or above ``most``."""
        text = self.query.get(name, "")
        if not text:
            return default
        if not text.isdecimal() or len(text) > 9 or (most is not None and int(text) > most):
            raise Refused(f"Invalid {name}" + (f", maximum is {most}" if most else ""))
        return int(text)


def need_text(body: dict[str, Any], name: str) -> str:
    """A non-empty text field; raises ``Refused`` that names it."""
    value = body.get(name)
    if not isinstance(value, str) or not value.strip():
        raise Refused(f"['{name} is required']")
    return value
