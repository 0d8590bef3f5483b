"""An approved template as the templates list shows it (interakt-api 4), and what a message must give it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from worker.campaigns.definition.message import Message, Part

_VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_MEDIA = ("IMAGE", "VIDEO", "DOCUMENT")
_CODE_BUTTONS = ("OTP", "COPY_CODE")


@dataclass(frozen=True, slots=True)
class Needs:
    """How many values a template, or one of its cards, wants; ``media`` is its header's format if a file."""

    header: int = 0
    media: str = ""
    body: int = 0
    buttons: dict[str, int] = field(default_factory=dict)
    texts: tuple[str, str, str] = ("", "", "")


@dataclass(frozen=True, slots=True)
class Template:
    """One row of the list. ``cards`` is None when the row says nothing of cards."""

    name: str
    language: str
    category: str
    status: str
    needs: Needs
    cards: tuple[Needs, ...] | None


def unwrap(value: Any) -> Any:
    """What a JSON string holds; Interakt encodes some fields once, some twice."""
    for _ in range(3):
        if not isinstance(value, str):
            return value
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    return value


def read(row: Mapping[str, Any]) -> Template:
    """Read a row leniently: a field of another shape than expected counts as absent."""
    cards = unwrap(row.get("carousel_cards"))
    made = [_needs(card) for card in cards if isinstance(card, dict)] if isinstance(cards, list) else None
    return Template(
        name=_text(row, "name"),
        language=_text(row, "language"),
        category=_text(row, "category").lower(),
        status=_text(row, "approval_status").upper(),
        needs=_needs(row),
        cards=tuple(made) if made else None,
    )


def _needs(row: Mapping[str, Any]) -> Needs:
    kind = _text(row, "header_format").upper()
    header, body, footer = _text(row, "header"), _text(row, "body"), _text(row, "footer")
    return Needs(
        header=1 if kind in _MEDIA else _count(header) if kind == "TEXT" else 0,
        media=kind.lower() if kind in _MEDIA else "",
        body=_count(body),
        buttons=_buttons(unwrap(row.get("buttons")), _text(row, "category").upper() == "AUTHENTICATION"),
        texts=(header, body, footer),
    )


def _buttons(found: Any, code: bool) -> dict[str, int]:
    wanted = {}
    for at, button in enumerate(found if isinstance(found, list) else []):
        if not isinstance(button, dict):
            continue
        count = _count(_text(button, "url"))
        if count or _text(button, "type").upper() in _CODE_BUTTONS or (code and at == 0):
            wanted[str(at)] = max(count, 1)
    return wanted


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else ""


def _count(text: str) -> int:
    return len(set(_VARIABLE.findall(text)))


def find(rows: Iterable[Mapping[str, Any]], message: Message) -> tuple[Template | None, str]:
    """The message's template, or None and what is wrong: no such name, another language, another spelling."""
    listed = [read(row) for row in rows if isinstance(row, Mapping)]
    named = [row for row in listed if row.name == message.name]
    exact = [row for row in named if row.language == message.language]
    if approved := [row for row in exact if row.status == "APPROVED"]:
        return approved[0], ""
    if exact:
        return exact[0], f"it is {exact[0].status or 'not approved'}, so nothing can be sent with it"
    if named:
        languages = ", ".join(sorted({row.language for row in named}))
        return None, f"it does not exist in {message.language!r}; it does in {languages}"
    plain = message.name.lower().strip("_")
    near = sorted({row.name for row in listed if row.name.lower().strip("_") == plain})
    return None, f"no such template; did you mean {near[0]!r}?" if near else "no such template"


def mismatches(template: Template, message: Message) -> list[str]:
    """One sentence for each number of values that differs from what the template wants."""
    found = list(_part(template.needs, message, "the template's"))
    if template.cards is not None:
        if len(template.cards) != len(message.cards):
            found.append(
                f"the template has {len(template.cards)} cards, the campaign gives {len(message.cards)}"
            )
        for at, (card, given) in enumerate(zip(template.cards, message.cards, strict=False)):
            found += _part(card, given, f"card {at}'s")
    return found


def _part(needs: Needs, given: Part, owner: str) -> Iterable[str]:
    media = f" (the address of its {needs.media})" if needs.media else ""
    for what, wanted, count in (
        (f"header{media}", needs.header, len(given.header)),
        ("body", needs.body, len(given.body)),
    ):
        if wanted != count:
            yield f"{owner} {what} wants {wanted} values, the campaign gives {count}"
    for index in sorted({*needs.buttons, *given.buttons}):
        wanted, count = needs.buttons.get(index, 0), len(given.buttons.get(index, ()))
        if wanted != count:
            yield f"{owner} button {index} wants {wanted} values, the campaign gives {count}"


def preview(template: Template, rendered: Mapping[str, Any]) -> str:
    """The message as its recipient will see it, from what ``Message.render`` made, without its buttons."""
    header, body, footer = template.needs.texts
    media = rendered.get("headerValues") or []
    lines = [f"[{template.needs.media}] {media[0] if media else ''}"] if template.needs.media else []
    if not template.needs.media and header:
        lines.append(_filled(header, media))
    return "\n".join([*lines, _filled(body, rendered.get("bodyValues") or []), *([footer] if footer else [])])


def _filled(text: str, values: list[str]) -> str:
    names = list(dict.fromkeys(_VARIABLE.findall(text)))
    names.sort(key=lambda name: (not name.isdigit(), int(name) if name.isdigit() else 0))
    pairs = dict(zip(names, values, strict=False))
    return _VARIABLE.sub(lambda found: pairs.get(found[1], found[0]), text)
