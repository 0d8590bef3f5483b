"""Which path is which operation, and which view answers it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from sandbox.accounts import Account
from sandbox.answers import Answer
from sandbox.assignment import assign_chat, assign_chat_to_agent
from sandbox.catalogue import create_campaign, create_template, list_templates, upload_media
from sandbox.context import Context
from sandbox.customers import find_users, user_by_id, user_by_phone
from sandbox.messages import send_message
from sandbox.rcs import send_rcs
from sandbox.tracking import track_event, track_user

BASES = ("/v1/public/", "/api/v1/public/", "/whatsapp/v1/public/")


class Route(NamedTuple):
    """``operation`` is the name of the call in the record; for messages the body's type says it."""

    method: str
    operation: str
    view: Callable[[Context], Answer]


ROUTES = {
    "track/users/": Route("POST", "track_user", track_user),
    "track/events/": Route("POST", "track_event", track_event),
    "message/": Route("POST", "send", send_message),
    "rcs/message/": Route("POST", "send_rcs", send_rcs),
    "track/templates/": Route("POST", "create_template", create_template),
    "track/organization/templates": Route("GET", "list_templates", list_templates),
    "track/files/upload_to_fb/": Route("POST", "upload_template_media", upload_media),
    "create-campaign/": Route("POST", "create_campaign", create_campaign),
    "apis/users/": Route("POST", "find_users", find_users),
    "assignment/": Route("POST", "assign_chat_to_agent", assign_chat_to_agent),
    "chat/assign/": Route("POST", "assign_chat", assign_chat),
}
BY_END = {
    "apis/users/phone_number/": Route("GET", "get_user", user_by_phone),
    "apis/users/id/": Route("GET", "get_user", user_by_id),
}
TYPES = {
    "send": {
        "Text": "send_text",
        "Image": "send_image",
        "Document": "send_document",
        "Video": "send_video",
        "Audio": "send_audio",
        "Sticker": "send_sticker",
        "InteractiveButton": "send_buttons",
        "InteractiveList": "send_list",
        "Template": "send_template",
    },
    "send_rcs": {
        "Text": "send_rcs_text",
        "CAROUSEL": "send_rcs_carousel",
        "STANDALONE_CAROUSEL": "send_rcs_card",
        "Template": "send_rcs_template",
    },
}


def find(path: str) -> tuple[Route | None, str]:
    """The route of a path, and the path's end when the route has a variable one."""
    for base in BASES:
        if path.startswith(base):
            tail = path[len(base) :]
            if route := ROUTES.get(tail):
                return route, ""
            for start, route in BY_END.items():
                rest = tail.removeprefix(start)
                if rest != tail and rest and "/" not in rest:
                    return route, rest
    return None, ""


def operation_of(route: Route, body: Any, account: Account | None) -> str:
    """The operation's name; an authentication template is told by the account's template."""
    types = TYPES.get(route.operation)
    if types is None:
        return route.operation
    kind = body.get("type") if isinstance(body, dict) else None
    operation = types.get(kind, "unknown") if isinstance(kind, str) else "unknown"
    if operation == "send_template" and account is not None and isinstance(body.get("template"), dict):
        sent = body["template"]
        key = sent.get("name"), sent.get("languageCode")
        if all(isinstance(part, str) for part in key):
            found = account.templates.get(key)
            if found is not None and found.category == "AUTHENTICATION":
                return "send_auth_template"
    return operation
