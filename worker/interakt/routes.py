"""Where each operation lives: method, path under the base URL, what a repeat would do, the query."""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["read", "upsert", "send", "rcs", "create"]


class Route(NamedTuple):
    """``query`` names the payload's fields that travel in the URL; trailing slashes matter (interakt-api 1)."""

    method: str
    path: str
    kind: Kind
    query: tuple[str, ...] = ()


_SEND = Route("POST", "message/", "send")
_RCS = Route("POST", "rcs/message/", "rcs")
_PAGE = ("offset", "limit")
_TEMPLATE_FILTERS = ("template_name", "autosubmitted_for", "approval_status", "variable_present", "language")

ROUTES: dict[str, Route] = {
    "track_user": Route("POST", "track/users/", "upsert"),
    "track_event": Route("POST", "track/events/", "create"),
    "send_text": _SEND,
    "send_image": _SEND,
    "send_document": _SEND,
    "send_video": _SEND,
    "send_audio": _SEND,
    "send_sticker": _SEND,
    "send_buttons": _SEND,
    "send_list": _SEND,
    "send_template": _SEND,
    "send_auth_template": _SEND,
    "create_template": Route("POST", "track/templates/", "create"),
    "list_templates": Route("GET", "track/organization/templates", "read", (*_PAGE, *_TEMPLATE_FILTERS)),
    "upload_template_media": Route("POST", "track/files/upload_to_fb/", "create", ("fileCategory",)),
    "create_campaign": Route("POST", "create-campaign/", "create"),
    "find_users": Route("POST", "apis/users/", "read", _PAGE),
    "send_rcs_text": _RCS,
    "send_rcs_carousel": _RCS,
    "send_rcs_card": _RCS,
    "assign_chat": Route("POST", "chat/assign/", "upsert"),
    "assign_chat_to_agent": Route("POST", "assignment/", "upsert"),
}
