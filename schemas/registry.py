"""Which shape belongs to which operation; each is loaded at its first use and kept."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from .bounds import look
from .invalid import Invalid
from .words import kind

if TYPE_CHECKING:
    from .base import Shape

MOST_ERRORS = 20


class Entry(NamedTuple):
    """Where the shape is, and the ``type`` that the operation implies."""

    module: str
    name: str
    type: str = ""


OPERATIONS = {
    "track_user": Entry("track", "User"),
    "track_event": Entry("track", "Event"),
    "send_text": Entry("message", "TextMessage", "Text"),
    "send_image": Entry("message", "Image", "Image"),
    "send_document": Entry("message", "Document", "Document"),
    "send_video": Entry("message", "Video", "Video"),
    "send_audio": Entry("message", "Audio", "Audio"),
    "send_sticker": Entry("message", "Sticker", "Sticker"),
    "send_buttons": Entry("interactive", "Buttons", "InteractiveButton"),
    "send_list": Entry("interactive", "List", "InteractiveList"),
    "send_template": Entry("template", "TemplateMessage", "Template"),
    "send_auth_template": Entry("template", "AuthTemplateMessage", "Template"),
    "send_rcs_text": Entry("rcs", "RcsText", "Text"),
    "send_rcs_carousel": Entry("rcs", "RcsCarousel", "CAROUSEL"),
    "send_rcs_card": Entry("rcs", "RcsCard", "STANDALONE_CAROUSEL"),
    "create_template": Entry("create_template", "NewTemplate"),
    "upload_template_media": Entry("create_template", "Media"),
    "list_templates": Entry("create_template", "Templates"),
    "create_campaign": Entry("campaign", "Campaign"),
    "find_users": Entry("customers", "Customers"),
    "assign_chat": Entry("chat", "Chat"),
    "assign_chat_to_agent": Entry("chat", "ChatOfAgent"),
}


def check(operation: str, payload: object, *, allow_unknown: bool = False) -> list[str]:
    """Raise ``Invalid`` unless ``payload`` may be sent; the list returned names limits of WhatsApp's that it breaks.

    It names texts that say nothing too (``says_nothing``). ``payload`` is not changed. ``allow_unknown`` lets keys pass
    that no shape names, at every level. Raises ``KeyError`` for an unknown operation.
    """
    shape, load_error, advise = _tools(operation, allow_unknown)
    if not isinstance(payload, dict):
        raise Invalid({"payload": f"must be an object, not {kind(payload)}"})
    warnings = look(payload)
    try:
        shape.load(payload)
    except load_error as error:
        found = import_module("schemas.base").by_path(error.messages, shape)
        raise Invalid(
            {path: what for (path, what), _ in zip(found, range(MOST_ERRORS), strict=False)}
        ) from None
    warnings += advise(operation, payload)
    return warnings


def complete(operation: str, payload: Any) -> dict[str, Any]:
    """``payload`` with the ``type`` that the operation implies, if it has none; raises ``Invalid``, ``KeyError``."""
    implied = OPERATIONS[operation].type
    if not isinstance(payload, dict):
        raise Invalid({"payload": f"must be an object, not {kind(payload)}"})
    if not implied or "type" in payload:
        return payload
    if "template" in payload and "message" not in payload:
        implied = "Template"
    return {**payload, "type": implied}


@lru_cache(maxsize=128)
def shape_of(operation: str, allow_unknown: bool = False) -> Shape:
    """The operation's marshmallow schema, made once; raises ``KeyError``."""
    entry = OPERATIONS[operation]
    made: type[Shape] = getattr(import_module(f"schemas.{entry.module}"), entry.name)
    return made(unknown="include") if allow_unknown else made()


@lru_cache(maxsize=128)
def _tools(operation: str, allow_unknown: bool) -> tuple[Any, Any, Any]:
    shape = shape_of(operation, allow_unknown)
    return shape, import_module("marshmallow").ValidationError, import_module("schemas.advice").advise
