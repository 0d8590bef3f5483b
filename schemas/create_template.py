"""Templates made, listed, and the media that they need (document 4.1 to 4.4; variants of interakt-api 4)."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import ValidationError, validates_schema

from .base import Many, Part, Shape
from .fields import Choice, Either, Text, Url, Whole

MOST_CARDS = 10
_PLACEHOLDER = re.compile(r"\{\{\s*[A-Za-z0-9_]+\s*\}\}")


class Button(Shape):
    type = Text(required=True)
    text = Text(required=True)
    url = Text()
    phone_number = Text()
    example = Either(Text(), Many(Text()))


class Samples(Shape):
    """A body and a sample value for each of its variables."""

    @validates_schema(skip_on_field_errors=True)
    def check_samples(self, data: dict[str, Any], **_: Any) -> None:
        """As many samples as variables (interakt-api 4)."""
        _count(data.get("body"), data.get("body_text"), "body_text", "body")


class Card(Samples):
    card_index = Whole()
    header_format = Text(allow_none=True)
    header_handle = Many(Text())
    header_handle_file_url = Url(allow_none=True)
    header_handle_file_name = Text(allow_none=True)
    cardTitle = Text(empty=True)
    body = Text()
    body_text = Many(Text())
    buttons = Many(Part(Button))


class NewTemplate(Samples):
    display_name = Text(required=True)
    language = Text(required=True)
    category = Text(required=True)
    body = Text(required=True)
    header_format = Text(allow_none=True)
    header = Text(allow_none=True, empty=True)
    header_text = Either(Text(), Many(Text()), allow_none=True)
    header_handle = Many(Text())
    header_handle_file_url = Url(allow_none=True)
    header_handle_file_name = Text(allow_none=True)
    body_text = Many(Text(), allow_none=True)
    footer = Text(allow_none=True, empty=True)
    button_type = Text(allow_none=True)
    buttons = Many(Part(Button), allow_none=True)
    button_text = Either(Text(), Many(Text()), allow_none=True)
    carousel_cards = Many(Part(Card), least=1, most=MOST_CARDS, source="interakt-api 5")

    @validates_schema(skip_on_field_errors=True)
    def check_header(self, data: dict[str, Any], **_: Any) -> None:
        """The header's text is ``header``, with samples in ``header_text``, or ``header_text`` alone (document 4.1)."""
        text = data.get("header_text")
        if data.get("header_format") == "TEXT" and not data.get("header") and not isinstance(text, str):
            raise ValidationError({"header": ["is missing: the format is TEXT, give it or a header_text"]})
        if not isinstance(text, str):
            _count(data.get("header"), text, "header_text", "header")

    @validates_schema(skip_on_field_errors=True)
    def check_cards(self, data: dict[str, Any], **_: Any) -> None:
        """All cards have the same header format and the same buttons (interakt-api 5)."""
        cards = data.get("carousel_cards") or []
        for index, card in enumerate(cards):
            if card.get("header_format") != cards[0].get("header_format"):
                problem = {"header_format": ["must be that of the first card (interakt-api 5)"]}
            elif _types(card) != _types(cards[0]):
                problem = {"buttons": ["must be of the first card's types (interakt-api 5)"]}
            else:
                continue
            raise ValidationError({"carousel_cards": {index: problem}})


def _types(card: dict[str, Any]) -> list[str]:
    return [button["type"] for button in card.get("buttons") or []]


def _count(text: str | None, samples: list[str] | None, name: str, of: str) -> None:
    wanted, given = len(set(_PLACEHOLDER.findall(text or ""))), len(samples or [])
    if wanted != given:
        raise ValidationError(
            {name: [f"has {given} samples, {of} has {wanted} variables: one is needed for each"]}
        )


class Templates(Shape):
    """The query of one page."""

    offset = Whole()
    limit = Whole(least=1)
    template_name = Text()
    autosubmitted_for = Text()
    approval_status = Choice("APPROVED", "WAITING", "REJECTED")
    variable_present = Choice("Yes", "No")
    language = Text()


class Media(Shape):
    """A file, by address or by path, whose handle a template needs."""

    fileUrl = Url()
    filePath = Text()
    fileName = Text(required=True)
    fileCategory = Choice("message_template_media")

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def check_source(self, data: dict[str, Any], original: dict[str, Any], **_: Any) -> None:
        """One of the two sources."""
        if ("fileUrl" in original) == ("filePath" in original):
            raise ValidationError({"fileUrl": ["give either fileUrl or filePath"]})
