"""Campaigns that are sent by API (document 5.1)."""

from __future__ import annotations

from .base import Shape
from .fields import Choice, Text


class Campaign(Shape):
    campaign_name = Text(required=True)
    campaign_type = Choice("PublicAPI", required=True)
    template_name = Text(required=True)
    language_code = Text(required=True)
