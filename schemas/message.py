"""Messages inside the 24-hour window: text and media (document 2.1 to 2.5)."""

from __future__ import annotations

from .address import Recipient
from .base import Part, Shape
from .fields import Choice, Text, Url


class Message(Recipient):
    """What every message may carry."""

    callbackData = Text(most=512, empty=True, source="interakt-api 5")
    campaignId = Text()


class TextData(Shape):
    message = Text(required=True)


class MediaData(Shape):
    mediaUrl = Url(required=True)
    message = Text(empty=True)
    fileName = Text()


class TextMessage(Message):
    type = Choice("Text")
    data = Part(TextData, required=True)


class Image(Message):
    type = Choice("Image")
    data = Part(MediaData, required=True)


class Document(Message):
    type = Choice("Document")
    data = Part(MediaData, required=True)


class Video(Message):
    type = Choice("Video")
    data = Part(MediaData, required=True)


class Audio(Message):
    type = Choice("Audio")
    data = Part(MediaData, required=True)


class Sticker(Message):
    type = Choice("Sticker")
    data = Part(MediaData, required=True)
