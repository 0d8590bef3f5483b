"""Which shape belongs to which operation; each is loaded at its first use and kept."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .nothing import look
from .words import Invalid, kind

if TYPE_CHECKING:
    from .base import Shape

MOST_ERRORS = 20
OPERATIONS = {  # the module and the class of each
    "track_user": "users.User",
    "track_event": "users.Event",
    "send_text": "message.TextMessage",
    "send_image": "message.Image",
    "send_document": "message.Document",
    "send_video": "message.Video",
    "send_audio": "message.Audio",
    "send_sticker": "message.Sticker",
    "send_buttons": "interactive.Buttons",
    "send_list": "interactive.List",
    "send_template": "template.TemplateMessage",
    "send_auth_template": "template.AuthTemplateMessage",
    "send_rcs_text": "rcs.RcsText",
    "send_rcs_carousel": "rcs.RcsCarousel",
    "send_rcs_card": "rcs.RcsCard",
    "create_template": "create_template.NewTemplate",
    "upload_template_media": "create_template.Media",
    "list_templates": "create_template.Templates",
    "create_campaign": "users.Campaign",
    "find_users": "users.Customers",
    "assign_chat": "users.Chat",
    "assign_chat_to_agent": "users.ChatOfAgent",
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
    field: Any = shape_of(operation).fields.get("type")
    if not isinstance(payload, dict):
        raise Invalid({"payload": f"must be an object, not {kind(payload)}"})
    if field is None or "type" in payload:
        return payload
    is_template = "template" in payload and "message" not in payload
    return {**payload, "type": "Template" if is_template else field.choices[0]}


@lru_cache(maxsize=128)
def shape_of(operation: str, allow_unknown: bool = False) -> Shape:
    """The operation's marshmallow schema, made once; raises ``KeyError``."""
    module, name = OPERATIONS[operation].split(".")
    made: type[Shape] = getattr(import_module(f"schemas.{module}"), name)
    return made(unknown="include") if allow_unknown else made()


@lru_cache(maxsize=128)
def _tools(operation: str, allow_unknown: bool) -> tuple[Any, Any, Any]:
    shape = shape_of(operation, allow_unknown)
    return shape, import_module("marshmallow").ValidationError, import_module("schemas.advice").advise
