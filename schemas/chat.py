"""Chats given to agents (document 8.1, and ``assignment/`` of interakt-api 4)."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, validates_schema

from . import phones
from .base import Shape
from .fields import Email, Text


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
