"""Template messages: each part is checked when it is there (document 3.1 to 3.6)."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, validates_schema

from .base import Many, Part, Shape
from .fields import ButtonValues, Choice, Text, Variable
from .message import Fallback, Message

MOST_CARDS = 10
CATEGORIES = ("utility", "marketing", "authentication")


class Card(Shape):
    headerValues = Many(Variable())
    bodyValues = Many(Variable())
    buttonValues = ButtonValues(Many(Variable(), least=1))


class Order(Shape):
    status = Text(required=True)
    description = Text(empty=True)


class OrderStatus(Shape):
    reference_id = Text(required=True)
    order = Part(Order, required=True)


class Template(Card):
    name = Text(required=True)
    languageCode = Text(required=True)
    fileName = Text()
    carouselCards = Many(Part(Card), least=1, most=MOST_CARDS, source="interakt-api 5")
    order_status = Part(OrderStatus)
    template_category = Choice(*CATEGORIES, any_case=True)


class AuthTemplate(Shape):
    name = Text(required=True)
    languageCode = Text(required=True)
    bodyValues = Many(Variable(), required=True, least=1)
    buttonValues = ButtonValues(Many(Variable(), least=1), required=True)
    template_category = Choice(*CATEGORIES, any_case=True)

    @validates_schema(skip_on_field_errors=True)
    def check_code(self, data: dict[str, Any], **_: Any) -> None:
        """The code is in the body and again in the first button (document 3.3)."""
        button = data["buttonValues"].get("0")
        if button is None:
            raise ValidationError({"buttonValues": ['must have the code in "0" too (document 3.3)']})
        if button[0] != data["bodyValues"][0]:
            raise ValidationError(
                {"buttonValues": {"0": {0: ["must be the same code as bodyValues[0] (document 3.3)"]}}}
            )


class TemplateMessage(Message):
    type = Choice("Template")
    template = Part(Template, required=True)
    template_category = Choice(*CATEGORIES, any_case=True)
    fallback = Many(Part(Fallback))


class AuthTemplateMessage(TemplateMessage):
    template = Part(AuthTemplate, required=True)
