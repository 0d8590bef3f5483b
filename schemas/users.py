"""Users, events, chats and campaigns (document 1, 5.1, 6.1, 8.1; operators and limits of interakt-api 4)."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, validates_schema

from . import phones
from .address import Recipient
from .base import Many, Part, Shape
from .fields import Choice, Email, Flag, Json, Moment, Text, Traits, Whole

TIMES, UTC = ("created_at_utc", "modified_at_utc"), Moment(utc=True)


class User(Recipient):
    traits = Traits(flat=True)
    tags = Many(Text())
    add_to_sales_cycle = Flag()
    createdAt = Moment()

    user_id_is_enough = True


class Event(Recipient):
    event = Text(required=True)
    traits = Traits()
    createdAt = Moment()

    user_id_is_enough = True


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
            why = UTC.form(value) if isinstance(value, str) else "must be a time in UTC, as text"
            if why:
                raise ValidationError({"val": [why]})


class Customers(Shape):
    filters = Many(Part(Filter), required=True)
    offset = Whole()
    limit = Whole(least=1, most=100, source="interakt-api 5")


class Chat(Shape):
    userId = Text(required=True)
    agentId = Text(required=True)


class ChatOfAgent(Shape):
    user_phone_number = Text(required=True)
    agent_email = Email(required=True)
    wc_id = Text()

    @validates_schema(skip_on_field_errors=True)
    def check_phone(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse what can be no number with its country code."""
        try:
            phones.read_full(data["user_phone_number"], "user_phone_number")
        except phones.BadPhone as error:
            raise ValidationError({error.field: [error.why]}) from None


class Campaign(Shape):
    campaign_name = Text(required=True)
    campaign_type = Choice("PublicAPI", required=True)
    template_name = Text(required=True)
    language_code = Text(required=True)
