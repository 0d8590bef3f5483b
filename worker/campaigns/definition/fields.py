"""Reading a table from outside: every mistake is collected under its path."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from .values import Value, parse


class Fields:
    """A table's fields, taken one by one; ``close`` reports the others as unknown."""

    def __init__(self, table: Any, errors: dict[str, str], path: str = "") -> None:
        self.errors, self.path = errors, path
        self._table: dict[str, Any] = {}
        if isinstance(table, dict) and all(isinstance(key, str) for key in table):
            self._table = dict(table)
        else:
            self.errors[path] = "must be a table"

    def at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def wrong(self, name: str, message: str) -> None:
        self.errors.setdefault(self.at(name), message)

    def take(self, name: str) -> Any:
        return self._table.pop(name, None)

    def has(self, name: str) -> bool:
        return name in self._table

    def names(self) -> list[str]:
        return list(self._table)

    def table(self, name: str) -> Fields:
        """A table inside this one; empty when left out."""
        return Fields(self._table.pop(name, {}), self.errors, self.at(name))

    def tables(self, name: str) -> list[Fields]:
        found = self._table.pop(name, [])
        if not isinstance(found, list):
            self.wrong(name, "must be a list of tables")
            return []
        return [Fields(item, self.errors, f"{self.at(name)}[{at}]") for at, item in enumerate(found)]

    def text(self, name: str, default: str | None = "", most: int = 512) -> str:
        """A line of text; ``default=None`` makes it required."""
        value = self._table.pop(name, default)
        if (
            isinstance(value, str)
            and len(value) <= most
            and value.isprintable()
            and (value.strip() or default == value)
        ):
            return value.strip()
        self.wrong(
            name, "is required" if value is None else f"must be one line of text, at most {most} characters"
        )
        return ""

    def flag(self, name: str) -> bool:
        return bool(
            self._checked(name, False, lambda value: isinstance(value, bool), "must be true or false")
        )

    def names_of(self, name: str) -> tuple[str, ...] | None:
        """A list of texts; None when it is left out."""
        found = self._checked(
            name,
            None,
            lambda value: isinstance(value, list) and all(isinstance(one, str) for one in value),
            "must be a list of texts",
        )
        return None if found is None else tuple(found)

    def integer(self, name: str, default: int, least: int, most: int) -> int:
        why = f"must be a whole number from {least} to {most}"
        return int(
            self._checked(name, default, lambda value: type(value) is int and least <= value <= most, why)
        )

    def share(self, name: str, default: float) -> float:
        why = "must be a share above 0, at most 1 (0.2 is 20 %)"
        return float(
            self._checked(name, default, lambda value: type(value) in (int, float) and 0 < value <= 1, why)
        )

    def _checked(self, name: str, default: Any, is_right: Callable[[Any], bool], why: str) -> Any:
        value = self._table.pop(name, default)
        if value is default or is_right(value):
            return value
        self.wrong(name, why)
        return default

    def moment(self, name: str) -> datetime | None:
        """A date and time with its offset from UTC."""
        value = self._table.pop(name, None)
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                value = "not a time"
        if value is None or (isinstance(value, datetime) and value.tzinfo is not None):
            return value
        self.wrong(name, "must be a time with its offset, such as 2026-11-01T09:00:00+05:30")
        return None

    def value(self, name: str, source: Any) -> Value | None:
        """One value of a template, already taken from the table."""
        if isinstance(source, int | float) and not isinstance(source, bool):
            source = str(source)
        if not isinstance(source, str):
            self.wrong(name, "must be text")
            return None
        try:
            return parse(source)
        except ValueError as error:
            self.wrong(name, str(error))
            return None

    def values(self, name: str) -> tuple[Value, ...]:
        """A list of template values."""
        found = self._table.pop(name, [])
        if not isinstance(found, list):
            self.wrong(name, "must be a list of texts")
            return ()
        read = [self.value(f"{name}[{at}]", source) for at, source in enumerate(found)]
        return tuple(value for value in read if value is not None)

    def close(self) -> None:
        for name in self._table:
            self.wrong(name, "unknown field")
