"""``POST rcs/message/``: text, carousel, rich card and template (document 7, interakt-api 4)."""

from __future__ import annotations

from typing import Any

from sandbox import phones
from sandbox.answers import QUEUED, Answer, Message, Refused
from sandbox.context import Context, need_text
from sandbox.messages import approved, callback_of


def send_rcs(call: Context) -> Answer:
    """Accept one RCS message, or raise ``Refused``; neither a customer nor a window is needed."""
    body = call.body
    phone = phones.read(body)
    callback_data = callback_of(body)
    kind = body.get("type")
    template, text = None, ""
    if kind == "Template":
        sent = _object(body, "template")
        template = approved(call.account, need_text(sent, "name"), need_text(sent, "languageCode"))
    elif kind == "Text":
        text = need_text(_object(body, "message"), "plainText")
    elif kind == "CAROUSEL":
        carousel = _object(_object(_object(body, "message"), "richCardDetails"), "carousel")
        cards = carousel.get("contents")
        if not isinstance(cards, list) or not 1 <= len(cards) <= 10:
            raise Refused("Carousel must have 1 to 10 cards")
        for card in cards:
            _check_card(card)
    elif kind == "STANDALONE_CAROUSEL":
        standalone = _object(_object(_object(body, "message"), "richCardDetails"), "standalone")
        _check_card(standalone.get("content"))
    else:
        raise Refused(f"""['"{kind}" is not a valid choice.']""")
    message = Message(call.id, phone, f"Rcs{kind}", callback_data, None, template, text, rcs=True)
    return Answer(201, {"result": True, "message": QUEUED, "id": call.id}, message=message)


def _object(body: dict[str, Any], name: str) -> dict[str, Any]:
    value = body.get(name)
    if not isinstance(value, dict):
        raise Refused(f"['{name} is required']")
    return value


def _check_card(card: Any) -> None:
    if not isinstance(card, dict):
        raise Refused("Card must be an object")
    need_text(card, "cardTitle")
    suggestions = card.get("suggestions") or []
    if not isinstance(suggestions, list) or len(suggestions) > 4:
        raise Refused("Card must have at most 4 suggestions")
