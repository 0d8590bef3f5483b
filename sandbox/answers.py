"""What the API answers: the envelope, the texts that were seen (interakt-api 3), and Django's HTML pages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

BAD_KEY = "Invalid token provided"
NO_PLAN = (
    "This API is currently not supported on your Interakt account. "
    "Please consider activating or upgrading your subscription..."
)
EMPTY_WALLET = "Message not sent. Insufficient wallet balance, please recharge your wallet."
TOO_MANY = "Rate limit exceeded for this resource"
BROKEN = "Error processing the request."
QUEUED = "Message queued for sending via Interakt. Check webhook for delivery status"
BAD_PHONE = "Phone Number & Country Code provided is invalid"
NO_CUSTOMER = "Please correct the following error - Customer is not available for the organization"
NO_WINDOW = "Please correct the following error - Customer has not messaged within last 24 hours"

NOT_FOUND_PAGE = (
    b'\n<!doctype html>\n<html lang="en">\n<head>\n  <title>Not Found</title>\n</head>\n<body>\n'
    b"  <h1>Not Found</h1><p>The requested resource was not found on this server.</p>\n</body>\n</html>\n"
)
HTML = "text/html; charset=utf-8"
JSON = "application/json"


_encoder = json.JSONEncoder(separators=(",", ":")).encode


class Refused(Exception):
    """A view refuses the call: ``message`` goes into the envelope, with ``status``."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message, status)
        self.message, self.status = message, status


@dataclass(slots=True)
class Message:
    """A message that was accepted for a person: what its webhooks will need."""

    id: str
    phone: str
    kind: str
    callback_data: str | None
    campaign_id: str | None
    template: Any
    text: str
    rcs: bool = False


@dataclass(slots=True)
class Answer:
    """A view's answer: status and JSON body, and the message that goes to a person, if one does."""

    status: int
    body: dict[str, Any]
    message: Message | None = None


@dataclass(slots=True)
class Reply:
    """Bytes for the wire and the manner of sending them.

    ``delay`` in seconds before the first byte; ``manner`` one of ``plain``, ``reset``, ``hang``,
    ``drip``, ``endless``, ``stream``; ``pace`` seconds between the bytes of a drip.
    ``seq`` is the call's number, -1 for none.
    """

    status: int
    body: bytes
    content_type: str = JSON
    headers: str = ""
    delay: float = 0.0
    manner: str = "plain"
    pace: float = 0.0
    seq: int = -1
    stream: Iterator[bytes] | None = None


def refusal(status: int, message: str) -> Reply:
    """The envelope of a refused call."""
    return Reply(status, encode({"result": False, "message": message}))


def page(status: int, title: str) -> Reply:
    """An HTML error page, as a gateway in front of the API sends it."""
    head = f"<html>\r\n<head><title>{status} {title}</title></head>\r\n"
    body = f"<body>\r\n<center><h1>{status} {title}</h1></center>\r\n</body>\r\n</html>\r\n"
    return Reply(status, (head + body).encode(), HTML)


def encode(value: Any) -> bytes:
    """Compact JSON."""
    return _encoder(value).encode()
