"""What is likely to fail later although no document of Interakt's forbids it: it warns, it does not refuse.

The lengths are WhatsApp's own (interakt-api 5, marked Meta). A pattern is a path in which ``[]`` stands for each item
of a list or of an object.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from . import phones

Judge = Callable[[Any], str]
Rules = list[tuple[str, Judge]]


def _longest(most: int) -> Judge:
    return lambda value: f"has {len(value)} characters, WhatsApp allows {most}" if len(value) > most else ""


def _one_of(*known: str) -> Judge:
    words = f"is none of the known words, {', '.join(known)}"
    return lambda value: "" if value.lower() in known else words


def _spaces(value: str) -> str:
    what = "has three spaces in a row, which some senders saw refused (docs/interakt-api.md, 5)"
    return what if "   " in value else ""


def _public(value: str) -> str:
    if value[:4].lower() != "http":
        return ""
    return "names a host that is not public: the file cannot be fetched" if _is_private(value) else ""


def _cards(cards: list[dict[str, Any]]) -> str:
    if len(cards) == 1:
        return "has 1 item, WhatsApp wants 2 to 10"
    buttons = {frozenset(card.get("buttonValues") or ()) for card in cards}
    what = "has values for different buttons, all cards need the same (docs/interakt-api.md, 5)"
    return what if len(buttons) > 1 else ""


_FORMS = ("data", "data.message")  # the document's, and the current one
_MEDIA: Rules = [("data.mediaUrl", _public), ("data.message", _longest(1024))]
_HEADS: Rules = [(f"{form}.{part}.text", _longest(60)) for form in _FORMS for part in ("header", "footer")]
_BUTTONS: Rules = [(f"{form}.body.text", _longest(1024)) for form in _FORMS]
_BUTTONS += [(f"{form}.action.buttons[].reply.title", _longest(20)) for form in _FORMS]
_BUTTONS += [(f"{form}.action.buttons[].reply.id", _longest(256)) for form in _FORMS]
_TEMPLATE: Rules = []
for _at in ("template", "template.carouselCards[]"):
    _TEMPLATE += [(f"{_at}.headerValues[]", _public), (f"{_at}.buttonValues[][]", _longest(128))]
    _TEMPLATE += [(f"{_at}.{one}", _spaces) for one in ("headerValues[]", "bodyValues[]", "buttonValues[][]")]
_TEMPLATE += [("template.carouselCards", _cards)]
_RICH: Rules = [
    (f"message.richCardDetails.{card}.cardMedia.contentInfo.fileUrl", _public)
    for card in ("standalone.content", "carousel.contents[]")
]
RULES: dict[str, Rules] = {
    "send_text": [("data.message", _longest(4096))],
    "send_image": _MEDIA,
    "send_document": _MEDIA,
    "send_video": _MEDIA,
    "send_audio": _MEDIA,
    "send_sticker": _MEDIA,
    "send_buttons": _HEADS + _BUTTONS,
    "send_list": _HEADS,
    "send_template": _TEMPLATE,
    "send_auth_template": [("template.bodyValues[]", _longest(15))],
    "send_rcs_carousel": _RICH,
    "send_rcs_card": _RICH,
    "create_template": [
        ("body", _longest(1024)),
        ("header", _longest(60)),
        ("footer", _longest(60)),
        ("buttons[].text", _longest(25)),
        ("carousel_cards[].buttons[].text", _longest(25)),
        ("category", _one_of("utility", "marketing", "authentication")),
        ("header_format", _one_of("text", "image", "video", "document")),
        ("button_type", _one_of("call to action", "quick replies")),
    ],
}


def advise(operation: str, payload: dict[str, Any]) -> list[str]:
    """Warnings about a payload that its shape accepts, each beginning with the path."""
    found = list(_recipient(payload))
    for steps, judge in _rules(operation):
        for path, value in _walk(payload, steps, ""):
            if why := judge(value):
                found.append(f"{path}: {why}")
    return found


def _recipient(payload: dict[str, Any]) -> Iterator[str]:
    phone, full = payload.get("phoneNumber"), payload.get("fullPhoneNumber")
    if phone and full:
        yield "fullPhoneNumber: is not needed beside phoneNumber, Interakt's documents forbid both (interakt-api 4)"
    if full or phone:
        code = str(payload.get("countryCode") or "+91").removeprefix("+")
        if not phones.is_likely(full or f"{code}{phone}"):
            name = "fullPhoneNumber" if full else "phoneNumber"
            yield f"{name}: is possible, but no number that its country has given out"


def _is_private(address: str) -> bool:
    try:
        host = (urlsplit(address).hostname or "").rstrip(".")
    except ValueError:
        return False
    try:
        return not ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".localhost"))


@lru_cache(maxsize=64)
def _rules(operation: str) -> list[tuple[tuple[str, ...], Judge]]:
    found = RULES.get(operation, ())
    return [(tuple(pattern.replace("[]", ".[]").split(".")), judge) for pattern, judge in found]


def _walk(value: Any, steps: tuple[str, ...], path: str) -> Iterator[tuple[str, Any]]:
    for at, step in enumerate(steps):
        if step == "[]":
            named = isinstance(value, dict)
            for key, one in value.items() if named else enumerate(value):
                yield from _walk(one, steps[at + 1 :], f"{path}.{key}" if named else f"{path}[{key}]")
            return
        value = value.get(step) if isinstance(value, dict) else None
        if value is None:
            return
        path = f"{path}.{step}" if path else step
    if isinstance(value, str | list):
        yield path, value
