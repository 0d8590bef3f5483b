"""The values of a template message, checked against the approved template (interakt-api 3.1)."""

from __future__ import annotations

import re
from typing import Any

from sandbox.answers import Refused
from sandbox.templates import Part, Template

_BAD_SPACE = re.compile(r"[\n\r\t]| {4}")


def check(template: Template, sent: dict[str, Any]) -> None:
    """Raises ``Refused`` unless ``sent`` has what ``template`` needs: header, body, then buttons."""
    _check_part(template, sent, "template's")
    if template.cards:
        _check_cards(template.cards, sent.get("carouselCards"))
    if template.order_status:
        _check_order(sent.get("order_status"))


def _check_part(part: Part, sent: dict[str, Any], owner: str) -> None:
    header = sent.get("headerValues")
    if part.media:
        url = header[0] if isinstance(header, list) and header else None
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
            raise Refused(f"Media Url is missing for header's {part.media.lower()}")
    elif part.header_count:
        _check_list(header, part.header_count, f"{owner} header")
    _check_list(sent.get("bodyValues"), part.body_count, f"{owner} body")
    buttons = sent.get("buttonValues")
    if part.button_counts:
        given = buttons if isinstance(buttons, dict) else {}
        for index, wanted in part.button_counts.items():
            _check_list(given.get(index), wanted, f"{owner} button at index {index}")


def _check_list(values: Any, wanted: int, where: str) -> None:
    given = values if isinstance(values, list) else []
    if len(given) != wanted:
        raise Refused(f"Missing variable values for {where}, expected number of values are {wanted}")
    for value in given:
        if value is None or value == "":
            raise Refused(f"Variable values for {where} cannot be empty or null")
        if isinstance(value, str) and _BAD_SPACE.search(value):
            raise Refused("Param text cannot have new-line/tab characters or more than 4 consecutive spaces")
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise Refused(f"Variable values for {where} must be strings")


def _check_cards(cards: list[Part], sent: Any) -> None:
    given = sent if isinstance(sent, list) else []
    fits = 1 <= len(given) <= 10 if len(cards) == 1 else len(given) == len(cards)
    if not fits:
        raise Refused(f"Missing carousel cards for template, expected number of cards are {len(cards)}")
    for index, card in enumerate(given):
        if not isinstance(card, dict):
            raise Refused(f"Carousel card at index {index} must be an object")
        _check_part(cards[min(index, len(cards) - 1)], card, f"template's carousel card {index}'s")


def _check_order(sent: Any) -> None:
    order = sent.get("order") if isinstance(sent, dict) else None
    if not isinstance(order, dict) or not sent.get("reference_id") or not order.get("status"):
        raise Refused("Missing order_status for template, reference_id and order.status are required")
