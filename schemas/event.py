"""The one event that every webhook of Interakt's is read into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "receipt", "click", "inbound", "template_update", "account", "quality", "workflow", "test", "unknown"
]
Status = Literal["", "sent", "failed", "delivered", "read", "clicked"]


@dataclass(frozen=True, slots=True)
class Button:
    """What was tapped: its text, and the ``id`` (a reply), ``link`` (a web address) or neither."""

    text: str = ""
    id: str = ""
    link: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """A webhook. What it does not say is empty, 0 or None; times are milliseconds since 1970, UTC.

    - ``receipt``, ``click``: ``status``, ``provider_id``, ``callback_data``, and of a failure ``code`` and ``reason``.
    - ``inbound``: ``content`` (``text``, ``image``, ``button_reply``, ``list_reply`` ...) with ``text``,
      ``media_url`` or ``button``; ``provider_id`` is the inbound message's, ``reply_to`` the answered one's.
    - ``template_update``, ``account``, ``quality``: ``state`` (Meta's word, such as ``APPROVED``) and ``reason``;
      of templates also ``template`` and ``language``.
    - ``phone`` is the person's digits; ``user_id`` WhatsApp's id of them for this business (BSUID), which may come alone.
    - ``unknown``: not understood; ``type`` says what it called itself.
    """

    kind: Kind
    type: str = ""
    channel: Literal["whatsapp", "rcs"] = "whatsapp"
    status: Status = ""
    provider_id: str = ""
    callback_data: str = ""
    campaign_id: str = ""
    phone: str = ""
    user_id: str = ""
    at_ms: int | None = None
    code: str = ""
    reason: str = ""
    content: str = ""
    text: str = ""
    media_url: str = ""
    button: Button | None = None
    reply_to: str = ""
    template: str = ""
    language: str = ""
    state: str = ""

    def __repr__(self) -> str:
        return f"<Event {self.kind} {self.type} {self.status}>"
