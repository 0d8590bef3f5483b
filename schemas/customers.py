"""Users found by filters (document 6.1; operators and limits of interakt-api 4)."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, validates_schema

from .base import Many, Part, Shape
from .fields import Choice, Json, Text, Whole, moment_problem

TIMES = ("created_at_utc", "modified_at_utc")


class Filter(Shape):
    trait = Text(required=True)
    op = Choice("eq", "ne", "gt", "gte", "lt", "lte", "contains", "in", required=True)
    val = Json(required=True, allow_none=True)
    supr_op = Choice("and", "or")

    @validates_schema(skip_on_field_errors=True)
    def check_time(self, data: dict[str, Any], **_: Any) -> None:
        """The two times are compared in UTC, written in ISO 8601."""
        if data["trait"] in TIMES:
            value = data["val"]
            why = (
                moment_problem(value, utc=True)
                if isinstance(value, str)
                else "must be a time in UTC, as text"
            )
            if why:
                raise ValidationError({"val": [why]})


class Customers(Shape):
    filters = Many(Part(Filter), required=True)
    offset = Whole()
    limit = Whole(least=1, most=100, source="interakt-api 5")
