"""One webhook, understood: what every shape that Interakt sends comes down to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "receipt", "click", "inbound", "template_update", "account", "quality", "workflow", "test", "unknown"
]
Status = Literal["", "sent", "failed", "delivered", "read", "clicked"]
RANKS: dict[Status, int] = {"": 0, "sent": 1, "failed": 2, "delivered": 3, "read": 4, "clicked": 5}


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
    sent_ms: int | None = None
    delivered_ms: int | None = None
    read_ms: int | None = None
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

    @property
    def rank(self) -> int:
        """How far the message came; a receipt of a lower rank never takes back a higher one (interakt-api 6)."""
        return RANKS[self.status]

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells a repeated webhook from a new one: its type, the message, and which tap it was."""
        tap = f"{self.button.id}{self.button.text}{self.button.link}" if self.button else ""
        return self.type, self.provider_id or self.callback_data, f"{self.status}{tap}"

    def __repr__(self) -> str:
        return f"<Event {self.kind} {self.type} {self.status}>"
