"""RCS messages (document 7.1 to 7.3; templates, fallback and suggestions of interakt-api 4)."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, validates_schema

from .base import Many, Part, Shape
from .fields import Choice, Text, Url
from .message import Fallback, Message
from .template import MOST_CARDS, Card

MOST_SUGGESTIONS = 4


class RcsTemplate(Card):
    name = Text(required=True)
    languageCode = Text(required=True)
    carouselCards = Many(Part(Card), least=1, most=MOST_CARDS, source="interakt-api 5")


class RcsMessage(Message):
    """A message, or with the type ``Template`` an approved template."""

    fallback = Many(Part(Fallback))
    template = Part(RcsTemplate)

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def check_content(self, data: dict[str, Any], original: dict[str, Any], **_: Any) -> None:
        """The content that belongs to the type, and nothing else."""
        needed, other = (
            ("template", "message") if original.get("type") == "Template" else ("message", "template")
        )
        if needed not in original:
            raise ValidationError({needed: ["is missing"]})
        if other in original:
            raise ValidationError(
                {other: [f"does not belong beside {needed}: the type tells which one is sent"]}
            )


class PlainText(Shape):
    plainText = Text(required=True)


class RcsText(RcsMessage):
    type = Choice("Text", "Template")
    message = Part(PlainText)


class ContentInfo(Shape):
    fileUrl = Url(required=True)


class CardMedia(Shape):
    contentInfo = Part(ContentInfo, required=True)
    mediaHeight = Text()


class PostBack(Shape):
    data = Text(required=True)


class SuggestedReply(Shape):
    plainText = Text(required=True)
    postBack = Part(PostBack)


class Suggestion(Shape):
    reply = Part(SuggestedReply, required=True)


class RichCard(Shape):
    cardTitle = Text(required=True)
    cardDescription = Text(empty=True)
    cardMedia = Part(CardMedia)
    suggestions = Many(Part(Suggestion), most=MOST_SUGGESTIONS, source="interakt-api 4")


class Carousel(Shape):
    cardWidth = Choice("SMALL_WIDTH", "MEDIUM_WIDTH")
    contents = Many(Part(RichCard), required=True, least=1, most=MOST_CARDS, source="interakt-api 5")


class CarouselDetails(Shape):
    carousel = Part(Carousel, required=True)


class CarouselMessage(Shape):
    richCardDetails = Part(CarouselDetails, required=True)


class RcsCarousel(RcsMessage):
    type = Choice("CAROUSEL", "Template")
    message = Part(CarouselMessage)


class Standalone(Shape):
    cardOrientation = Text()
    content = Part(RichCard, required=True)


class StandaloneDetails(Shape):
    standalone = Part(Standalone, required=True)


class StandaloneMessage(Shape):
    richCardDetails = Part(StandaloneDetails, required=True)


class RcsCard(RcsMessage):
    type = Choice("STANDALONE_CAROUSEL", "Template")
    message = Part(StandaloneMessage)
