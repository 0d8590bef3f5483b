"""What is sent: a template and its values (One_Key_CRM_API.md 3.1 to 3.6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .fields import Fields
from .values import Value

CATEGORIES = ("", "marketing", "utility", "authentication")


@dataclass(frozen=True, slots=True)
class Part:
    """Header, body and button values: of the message itself, or of one card of its carousel."""

    header: tuple[Value, ...] = ()
    body: tuple[Value, ...] = ()
    buttons: dict[str, tuple[Value, ...]] = field(default_factory=dict)

    def named(self, path: str) -> Iterator[tuple[str, Value]]:
        buttons = {f"buttons.{index}": values for index, values in self.buttons.items()}
        for name, values in {"header": self.header, "body": self.body, **buttons}.items():
            for at, value in enumerate(values):
                yield f"{path}.{name}[{at}]", value

    def render(self, row: Mapping[str, str]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        if self.header:
            made["headerValues"] = [value.render(row) for value in self.header]
        if self.body:
            made["bodyValues"] = [value.render(row) for value in self.body]
        if self.buttons:
            made["buttonValues"] = {
                index: [value.render(row) for value in values] for index, values in self.buttons.items()
            }
        return made


@dataclass(frozen=True, slots=True)
class Message(Part):
    """The whole template. With ``category``, Interakt refuses it if the template's has changed (interakt-api 4)."""

    name: str = ""
    language: str = "en"
    category: str = ""
    file_name: Value | None = None
    cards: tuple[Part, ...] = ()
    order_status: tuple[tuple[tuple[str, ...], Value], ...] = ()

    def values(self) -> Iterator[tuple[str, Value]]:
        """Every value with its path in the definition."""
        yield from self.named("template")
        for at, card in enumerate(self.cards):
            yield from card.named(f"template.cards[{at}]")
        for path, value in self.order_status:
            yield "template.order_status." + ".".join(path), value
        if self.file_name:
            yield "template.file_name", self.file_name

    def render(self, row: Mapping[str, str]) -> dict[str, Any]:
        """The ``template`` object of one recipient's payload."""
        made: dict[str, Any] = {"name": self.name, "languageCode": self.language, **Part.render(self, row)}
        if self.file_name:
            made["fileName"] = self.file_name.render(row)
        if self.cards:
            made["carouselCards"] = [card.render(row) for card in self.cards]
        for path, value in self.order_status:
            inner = made.setdefault("order_status", {})
            for step in path[:-1]:
                inner = inner.setdefault(step, {})
            inner[path[-1]] = value.render(row)
        return made


def read(fields: Fields) -> Message:
    """The ``[template]`` table; mistakes are collected in ``fields.errors``."""
    if fields.has("media") and not fields.has("header"):
        media = fields.take("media")
        value = fields.value("media", media)
        header: tuple[Value, ...] = (value,) if value else ()
        if value and not value.parts[0].startswith(("http://", "https://")) and value.parts[0]:
            fields.wrong("media", "must be the public http(s) address of a file")
        body, buttons = fields.values("body"), _buttons(fields)
    else:
        header, body, buttons = _part(fields)
    cards = fields.tables("cards")
    if len(cards) > 10:
        fields.wrong("cards", "a carousel has at most 10 cards")
    made = []
    for card in cards:
        made.append(Part(*_part(card)))
        card.close()
    order = fields.take("order_status")
    file_name = fields.take("file_name")
    category = fields.text("category").lower()
    if category not in CATEGORIES:
        fields.wrong("category", "must be marketing, utility or authentication")
    message = Message(
        header=header,
        body=body,
        buttons=buttons,
        name=fields.text("name", None),
        language=fields.text("language", "en", 32),
        category=category,
        file_name=fields.value("file_name", file_name) if file_name is not None else None,
        cards=tuple(made),
        order_status=tuple(_leaves(fields, "order_status", order, ())) if order is not None else (),
    )
    fields.close()
    return message


def _part(fields: Fields) -> tuple[tuple[Value, ...], tuple[Value, ...], dict[str, tuple[Value, ...]]]:
    return fields.values("header"), fields.values("body"), _buttons(fields)


def _buttons(fields: Fields) -> dict[str, tuple[Value, ...]]:
    table = fields.table("buttons")
    made = {}
    for index in table.names():
        if not (index.isascii() and index.isdigit() and len(index) <= 2):
            table.wrong(index, "a button is named by its position: 0 is the first")
        made[index] = table.values(index)
        if not made[index] and table.at(index) not in table.errors:
            table.wrong(index, "needs a value")
    return made


def _leaves(
    fields: Fields, name: str, node: Any, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Value]]:
    if isinstance(node, dict) and node and len(path) < 6:
        for key, inner in node.items():
            yield from _leaves(fields, f"{name}.{key}", inner, (*path, str(key)))
    elif path and (value := fields.value(name, node)):
        yield path, value
    elif not path:
        fields.wrong(name, "must be a table")
