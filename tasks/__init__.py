"""What can be asked for: one Celery task per operation of the Interakt API."""

from .campaigns import create_campaign, find_users
from .messages import (
    send_audio,
    send_buttons,
    send_document,
    send_image,
    send_list,
    send_sticker,
    send_text,
    send_video,
)
from .rcs import send_rcs_card, send_rcs_carousel, send_rcs_text
from .templates import (
    create_template,
    list_templates,
    send_auth_template,
    send_template,
    upload_template_media,
)
from .track import assign_chat, assign_chat_to_agent, track_event, track_user

__all__ = [
    "assign_chat",
    "assign_chat_to_agent",
    "create_campaign",
    "create_template",
    "find_users",
    "list_templates",
    "send_audio",
    "send_auth_template",
    "send_buttons",
    "send_document",
    "send_image",
    "send_list",
    "send_rcs_card",
    "send_rcs_carousel",
    "send_rcs_text",
    "send_sticker",
    "send_template",
    "send_text",
    "send_video",
    "track_event",
    "track_user",
    "upload_template_media",
]
