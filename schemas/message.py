"""What messages have in common; text and media inside the 24-hour window (document 2.1 to 2.5)."""

from __future__ import annotations

from .address import Recipient
from .base import Many, Part, Shape
from .fields import Choice, Text, Url


class Message(Recipient):
    """What every message may carry."""

    callbackData = Text(most=512, empty=True, source="interakt-api 5")
    campaignId = Text()


class SmsContent(Shape):
    message = Text(required=True)
    dlt_te_id = Text()
    variables = Many(Text())


class Fallback(Shape):
    """The SMS that is sent when a message cannot be delivered (interakt-api 4)."""

    channel = Choice("sms", required=True)
    content = Part(SmsContent, required=True)
    sender_id = Text()
    pe_id = Text()
    provider_name = Text()


class TextData(Shape):
    message = Text(required=True)


class MediaData(Shape):
    mediaUrl = Url(required=True)
    message = Text(empty=True)
    fileName = Text()


class TextMessage(Message):
    type = Choice("Text")
    data = Part(TextData, required=True)


class MediaMessage(Message):
    data = Part(MediaData, required=True)


class Image(MediaMessage):
    type = Choice("Image")


class Document(MediaMessage):
    type = Choice("Document")


class Video(MediaMessage):
    type = Choice("Video")


class Audio(MediaMessage):
    type = Choice("Audio")


class Sticker(MediaMessage):
    type = Choice("Sticker")
