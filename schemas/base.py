"""What every shape is made of: strict objects, lists and tables, and their errors by path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from marshmallow import RAISE, Schema, ValidationError, fields, missing

from .words import hint, joined, kind, shown

Messages = dict[str, str | list[Any] | dict[Any, Any]]
REQUIRED: Messages = {"required": "is missing", "null": "must not be null"}
_UNKNOWN = "unknown key"


class Shape(Schema):
    """A JSON object; keys that it does not name are refused unless it is made with ``unknown=INCLUDE``."""

    class Meta:
        unknown = RAISE

    error_messages = {"type": "must be an object", "unknown": _UNKNOWN}


class Strict(fields.Field[Any]):
    """A field that converts nothing and has no ``validate`` or hooks: its own ``_deserialize`` says it all."""

    default_error_messages = REQUIRED

    def deserialize(self, value: Any, attr: Any = None, data: Any = None, **kwargs: Any) -> Any:
        if value is missing and not self.required:
            return missing
        if value is missing or value is None:
            return super().deserialize(value, attr, data, **kwargs)
        return self._deserialize(value, attr, data, **kwargs)


class Part(Strict, fields.Nested):
    """An object inside another; it treats unknown keys as the outermost one does."""

    @property
    def schema(self) -> Schema:
        """The inner shape, made once."""
        if self._schema is None:
            made = cast("type[Shape]", self.nested)
            self._schema = made(unknown=cast("Shape", self.root).unknown)
        return self._schema

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if not isinstance(value, dict):
            raise ValidationError(f"must be an object, not {kind(value)}")
        return self.schema.load(value)


class Many(Strict, fields.List[Any]):
    """A list of ``least`` to ``most`` items; ``source`` says where the limit is written."""

    def __init__(
        self,
        item: fields.Field[Any],
        *,
        least: int = 0,
        most: int | None = None,
        source: str = "",
        **options: Any,
    ) -> None:
        super().__init__(item, **options)
        self.least, self.most, self.source = least, most, f" ({source})" if source else ""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(value, list | tuple):
            raise ValidationError(f"must be a list, not {kind(value)}")
        if len(value) < self.least:
            raise ValidationError(f"must have at least {self.least} item{'s' if self.least > 1 else ''}")
        if self.most is not None and len(value) > self.most:
            raise ValidationError(f"has {len(value)} items, at most {self.most} are allowed{self.source}")
        return super()._deserialize(value, *args, **kwargs)


class Table(Strict):
    """An object whose keys the sender chooses; ``item`` reads their values."""

    def __init__(self, item: fields.Field[Any], **options: Any) -> None:
        super().__init__(**options)
        self.item = item

    def key_problem(self, key: str) -> str:
        """Why ``key`` is not allowed, or an empty string."""
        return ""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValidationError(f"must be an object, not {kind(value)}")
        errors: dict[Any, Any] = {}
        for key, one in value.items():
            if why := self.key_problem(key) if isinstance(key, str) else "a key must be text":
                errors[key] = [why]
                continue
            try:
                self.item.deserialize(one)
            except ValidationError as error:
                errors[key] = error.messages
        if errors:
            raise ValidationError(errors)
        return value


def by_path(found: Any, at: Schema | fields.Field[Any] | None, path: str = "") -> Iterator[tuple[str, str]]:
    """Marshmallow's nested messages as pairs of path and words."""
    if not isinstance(found, Mapping):
        words = "; ".join(dict.fromkeys(map(str, found))) if isinstance(found, list) else str(found)
        yield path or "payload", words
        return
    for key, inner in found.items():
        if key == "_schema":
            yield from by_path(inner, at, path)
        elif inner == [_UNKNOWN] and isinstance(at, Schema):
            yield f"{path}.{shown(key)}" if path else shown(key), _UNKNOWN + hint(key, at.fields)
        else:
            yield from by_path(inner, _below(at, key), joined(path, key))


def _below(at: Schema | fields.Field[Any] | None, key: Any) -> Schema | fields.Field[Any] | None:
    if isinstance(at, Schema):
        field = at.fields.get(key)
        return field.schema if isinstance(field, Part) else field
    inner = at.inner if isinstance(at, Many) else at.item if isinstance(at, Table) else None
    return inner.schema if isinstance(inner, Part) else inner
