"""The operations: one row says everything about each. Routes, records, metrics, documents and tests follow from it."""

from __future__ import annotations

from . import payloads
from .operation import Operation

track_user = Operation("track_user", payloads.TrackUser, "POST", "track/users/", "upsert")
track_event = Operation("track_event", payloads.TrackEvent, "POST", "track/events/", "create")
send_text = Operation("send_text", payloads.SendText, "POST", "message/", "send", needs_session=True)
send_image = Operation("send_image", payloads.SendImage, "POST", "message/", "send", needs_session=True)
send_document = Operation(
    "send_document", payloads.SendDocument, "POST", "message/", "send", needs_session=True
)
send_video = Operation("send_video", payloads.SendVideo, "POST", "message/", "send", needs_session=True)
send_audio = Operation("send_audio", payloads.SendAudio, "POST", "message/", "send", needs_session=True)
send_sticker = Operation("send_sticker", payloads.SendSticker, "POST", "message/", "send", needs_session=True)
send_buttons = Operation("send_buttons", payloads.SendButtons, "POST", "message/", "send", needs_session=True)
send_list = Operation("send_list", payloads.SendList, "POST", "message/", "send", needs_session=True)
send_template = Operation("send_template", payloads.SendTemplate, "POST", "message/", "send")
send_auth_template = Operation(
    "send_auth_template", payloads.SendAuthTemplate, "POST", "message/", "send", lane="urgent", expires=300
)
send_rcs_text = Operation("send_rcs_text", payloads.SendRcsText, "POST", "rcs/message/", "rcs")
send_rcs_carousel = Operation("send_rcs_carousel", payloads.SendRcsCarousel, "POST", "rcs/message/", "rcs")
send_rcs_card = Operation("send_rcs_card", payloads.SendRcsCard, "POST", "rcs/message/", "rcs")
create_template = Operation("create_template", payloads.CreateTemplate, "POST", "track/templates/", "create")
upload_template_media = Operation(
    "upload_template_media",
    payloads.UploadTemplateMedia,
    "POST",
    "track/files/upload_to_fb/",
    "create",
    query=("fileCategory",),
)
list_templates = Operation(
    "list_templates",
    payloads.ListTemplates,
    "GET",
    "track/organization/templates",
    "read",
    query=(
        "offset", "limit", "template_name", "autosubmitted_for", "approval_status", "variable_present", "language"
    ),
)  # fmt: skip
create_campaign = Operation("create_campaign", payloads.CreateCampaign, "POST", "create-campaign/", "create")
find_users = Operation(
    "find_users", payloads.FindUsers, "POST", "apis/users/", "read", query=("offset", "limit")
)
assign_chat = Operation("assign_chat", payloads.AssignChat, "POST", "chat/assign/", "upsert")
assign_chat_to_agent = Operation(
    "assign_chat_to_agent", payloads.AssignChatToAgent, "POST", "assignment/", "upsert"
)

OPERATIONS: dict[str, Operation[object]] = {  # type: ignore[type-var]
    found.name: found for found in list(globals().values()) if isinstance(found, Operation)
}

# no call of Interakt's API, so not among OPERATIONS: the worker plans a campaign and starts it
run_campaign = Operation("run_campaign", payloads.RunCampaign, "", "", "local", lane="bulk")
