"""The fields that the shapes share. None of them converts: "5" is not 5 and true is not 1."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from marshmallow import ValidationError, fields

from .base import Strict, Table
from .values import LARGEST, json_problem, text_problem, value_problem
from .words import kind


class Text(Strict):
    """Text of at most ``most`` characters; ``source`` says where the limit is written.

    A subclass says in ``form`` what else it must be, and is only asked of what is not too long.
    """

    def __init__(self, *, most: int = 65_536, empty: bool = False, source: str = "", **options: Any) -> None:
        super().__init__(**options)
        self.most, self.empty, self.source = most, empty, f" ({source})" if source else ""

    def problem(self, value: str) -> str:
        """Why this text is not allowed, or an empty string."""
        if not self.empty and (not value or value.isspace()):
            return "must not be empty"
        if len(value) > self.most:
            return f"has {len(value)} characters, at most {self.most} are allowed{self.source}"
        return self.form(value)

    def form(self, value: str) -> str:
        """What is wrong with text of a right length, or an empty string."""
        return text_problem(value)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError(f"must be text, not {kind(value)}")
        if why := self.problem(value):
            raise ValidationError(why)
        return value


class Choice(Text):
    """One of a few words; with ``any_case`` capital letters do not matter."""

    def __init__(self, *choices: str, any_case: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.choices, self.any_case = choices, any_case
        self.allowed = frozenset(one.lower() for one in choices) if any_case else frozenset(choices)
        self.words = "must be " + " or ".join(f'"{one}"' for one in choices)

    def form(self, value: str) -> str:
        return "" if (value.lower() if self.any_case else value) in self.allowed else self.words


class Variable(Text):
    """The value of a template's variable: one line, not empty (interakt-api 5)."""

    def form(self, value: str) -> str:
        return value_problem(value)


class Url(Text):
    """A web address, fetched later by others."""

    _form = re.compile(r"https?://[^\s/?#]\S*", re.IGNORECASE)

    def __init__(self, **options: Any) -> None:
        super().__init__(most=4096, **options)

    def form(self, value: str) -> str:
        if self._form.fullmatch(value):
            return text_problem(value)
        return "must be a web address that begins with http:// or https://, without spaces"


class Moment(Text):
    """A time in ISO 8601; with ``utc`` it must say that it is UTC."""

    def __init__(self, *, utc: bool = False, **options: Any) -> None:
        super().__init__(most=64, **options)
        self.utc = utc

    def form(self, value: str) -> str:
        try:
            offset = datetime.fromisoformat(value).utcoffset()
        except ValueError:
            return "must be a time in ISO 8601, such as 2024-01-01T00:00:00.000Z"
        if self.utc and offset != timedelta(0):
            return "must be a time in UTC that ends with Z, such as 2024-01-01T00:00:00.000Z"
        return ""


class Email(Text):
    """An e-mail address, as far as its form tells."""

    _form = re.compile(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+")

    def __init__(self, **options: Any) -> None:
        super().__init__(most=320, **options)

    def form(self, value: str) -> str:
        return text_problem(value) if self._form.fullmatch(value) else "must be an e-mail address"


class Whole(Strict):
    """A whole number from ``least`` to ``most``."""

    def __init__(self, *, least: int = 0, most: int = LARGEST, source: str = "", **options: Any) -> None:
        super().__init__(**options)
        self.least, self.most, self.source = least, most, f" ({source})" if source else ""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValidationError(f"must be a whole number, not {kind(value)}")
        if value < self.least:
            raise ValidationError(f"must be at least {self.least}")
        if value > self.most:
            raise ValidationError(f"must be at most {self.most}{self.source}")
        return value


class Flag(Strict):
    """true or false."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError(f"must be true or false, not {kind(value)}")
        return value


class Json(Strict):
    """Whatever JSON can say."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if why := json_problem(value):
            raise ValidationError(why)
        return value


class Either(Strict):
    """One of several fields, told apart by JSON type: text, or a list."""

    def __init__(self, text: fields.Field[Any], many: fields.Field[Any], **options: Any) -> None:
        super().__init__(**options)
        self.text, self.many = text, many

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if isinstance(value, str):
            return self.text.deserialize(value)
        if isinstance(value, list | tuple):
            return self.many.deserialize(value)
        raise ValidationError(f"must be text or a list, not {kind(value)}")


class Traits(Table):
    """What is known of a user or an event: text, numbers, true or false, null, lists; ``flat`` forbids objects."""

    def __init__(self, *, flat: bool = False, **options: Any) -> None:
        super().__init__(Flat() if flat else Json(allow_none=True), **options)

    def key_problem(self, key: str) -> str:
        return text_problem(key) if key.strip() else "a trait must have a name"


class Flat(Json):
    """A value, or a list of values, but no object (interakt-api 4)."""

    def __init__(self) -> None:
        super().__init__(allow_none=True)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        inside: Iterable[Any] = value if isinstance(value, list | tuple) else (value,)
        if any(isinstance(one, dict | list | tuple) for one in inside):
            raise ValidationError(
                "must be text, a number, true or false, or a list of these (interakt-api 4)"
            )
        return super()._deserialize(value)


class ButtonValues(Table):
    """A button's position to the values of its variables."""

    _position = re.compile(r"[0-9]")

    def key_problem(self, key: str) -> str:
        return "" if self._position.fullmatch(key) else 'a key must be a button\'s position, such as "0"'
