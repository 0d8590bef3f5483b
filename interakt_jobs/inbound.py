"""Messages that people sent: kept for seven days, and handed to a task of yours by id."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from . import settings
from .errors import NoSuchJob
from .ledger.keys import account_name


@dataclass(frozen=True, slots=True)
class Inbound:
    """One inbound message.

    ``content`` is ``text``, ``image``, ``document``, ``button_reply``, ``list_reply`` and the like, ``phone`` the sender's
    digits (empty when the person hides the number), ``user_id`` WhatsApp's id of them where there is one, ``button_id`` and
    ``button_text`` what was tapped, ``reply_to`` the id of the message it answers, ``at_ms`` milliseconds since the epoch.
    """

    id: str
    account: str
    channel: str
    content: str
    phone: str
    text: str
    media_url: str
    button_id: str
    button_text: str
    reply_to: str
    at_ms: int
    user_id: str = ""


def inbound(id: str) -> Inbound:
    """The message of an id that your task was given (``in1.<account>.<message>``); raises ``NoSuchJob`` when it is gone."""
    mark, _, rest = id.partition(".")
    account, _, message = rest.partition(".")
    if mark != "in1" or not message:
        raise ValueError("an inbound id looks like in1.<account>.<message>")
    ledger = settings.ledger(account_name(account))
    raw = ledger.link.command("GET", f"{ledger.prefix}in:{message}")
    if raw is None:
        raise NoSuchJob(f"no inbound message {id}: a wrong id, or older than seven days")
    found: dict[str, Any] = json.loads(raw)
    button = found.get("button") or {}
    return Inbound(
        id=id,
        account=account,
        **{name: found[name] for name in ("channel", "content", "phone", "text", "media_url", "reply_to")},
        button_id=button.get("id", ""),
        button_text=button.get("text", ""),
        at_ms=found["at_ms"] or found["received_ms"],
        user_id=found.get("user_id", ""),
    )
