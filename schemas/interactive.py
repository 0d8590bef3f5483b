"""Reply buttons and lists (document 2.6 and 2.7; interakt-api 4 for the form under ``message``)."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, validates_schema

from .base import Many, Part, Shape
from .fields import Choice, Text
from .message import Message

MOST_BUTTONS, MOST_ROWS = 3, 10


class TextPart(Shape):
    text = Text(required=True)


class ListBody(Shape):
    text = Text(required=True, most=1024, source="interakt-api 5")


class TextHeader(Shape):
    type = Choice("text")
    text = Text(required=True)


class Framed(Shape):
    header = Part(TextHeader)
    footer = Part(TextPart)


class Data(Framed):
    """The content under ``message``, or as the document has it, ``body`` and ``action`` by themselves."""

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def check_one_form(self, data: dict[str, Any], original: dict[str, Any], **_: Any) -> None:
        """Refuse both forms at once, and half of one."""
        beside = [name for name in ("body", "action", "header", "footer") if name in original]
        if "message" in original:
            if beside:
                raise ValidationError({name: ["belongs inside message"] for name in beside})
        elif missing := [name for name in ("body", "action") if name not in original]:
            raise ValidationError({name: ["is missing"] for name in missing})


class Reply(Shape):
    id = Text(required=True)
    title = Text(required=True)


class ReplyButton(Shape):
    type = Choice("reply", required=True)
    reply = Part(Reply, required=True)


class ButtonsAction(Shape):
    buttons = Many(Part(ReplyButton), required=True, least=1, most=MOST_BUTTONS, source="document 2.6")


class ButtonsMessage(Framed):
    type = Choice("button", required=True)
    body = Part(TextPart, required=True)
    action = Part(ButtonsAction, required=True)


class ButtonsData(Data):
    message = Part(ButtonsMessage)
    body = Part(TextPart)
    action = Part(ButtonsAction)


class Buttons(Message):
    type = Choice("InteractiveButton")
    data = Part(ButtonsData, required=True)


class Row(Shape):
    id = Text(required=True, most=200, source="interakt-api 5")
    title = Text(required=True, most=24, source="interakt-api 5")
    description = Text(empty=True, most=72, source="interakt-api 5")


class Section(Shape):
    title = Text(most=24, source="interakt-api 5")
    rows = Many(Part(Row), required=True, least=1)


class ListAction(Shape):
    button = Text(required=True, most=20, source="interakt-api 5")
    sections = Many(Part(Section), required=True, least=1)

    @validates_schema(skip_on_field_errors=True)
    def check_rows(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse more than ten rows in all sections together."""
        rows = sum(len(section["rows"]) for section in data["sections"])
        if rows > MOST_ROWS:
            raise ValidationError(
                {"sections": [f"have {rows} rows in all, at most {MOST_ROWS} are allowed (document 2.7)"]}
            )


class ListMessage(Framed):
    type = Choice("list", required=True)
    body = Part(ListBody, required=True)
    action = Part(ListAction, required=True)


class ListData(Data):
    message = Part(ListMessage)
    body = Part(ListBody)
    action = Part(ListAction)


class List(Message):
    type = Choice("InteractiveList")
    data = Part(ListData, required=True)
