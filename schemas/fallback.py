"""The SMS that is sent when a message cannot be delivered (interakt-api 4)."""

from __future__ import annotations

from .base import Many, Part, Shape
from .fields import Choice, Text


class SmsContent(Shape):
    message = Text(required=True)
    dlt_te_id = Text()
    variables = Many(Text())


class Fallback(Shape):
    channel = Choice("sms", required=True)
    content = Part(SmsContent, required=True)
    sender_id = Text()
    pe_id = Text()
    provider_name = Text()
