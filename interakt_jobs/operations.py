"""The operations, one object each. Defaults follow the design: what may be repeated, which lane, what expires.

``after_hold``: a WhatsApp send whose outcome is unknown is held for its receipt, then sent again, while receipts are
being seen; in bulk it is never repeated. ``always``: repeating it does no harm.
"""

from __future__ import annotations

from . import payloads
from .operation import Operation

track_user = Operation("track_user", payloads.TrackUser, repeat="always", bulk_repeat="always")
track_event = Operation("track_event", payloads.TrackEvent)
send_text = Operation("send_text", payloads.SendText, repeat="after_hold")
send_image = Operation("send_image", payloads.SendImage, repeat="after_hold")
send_document = Operation("send_document", payloads.SendDocument, repeat="after_hold")
send_video = Operation("send_video", payloads.SendVideo, repeat="after_hold")
send_audio = Operation("send_audio", payloads.SendAudio, repeat="after_hold")
send_sticker = Operation("send_sticker", payloads.SendSticker, repeat="after_hold")
send_buttons = Operation("send_buttons", payloads.SendButtons, repeat="after_hold")
send_list = Operation("send_list", payloads.SendList, repeat="after_hold")
send_template = Operation("send_template", payloads.SendTemplate, repeat="after_hold")
send_auth_template = Operation(
    "send_auth_template", payloads.SendAuthTemplate, lane="urgent", repeat="after_hold", expires=300
)
send_rcs_text = Operation("send_rcs_text", payloads.SendRcsText)
send_rcs_carousel = Operation("send_rcs_carousel", payloads.SendRcsCarousel)
send_rcs_card = Operation("send_rcs_card", payloads.SendRcsCard)
create_template = Operation("create_template", payloads.CreateTemplate)
upload_template_media = Operation("upload_template_media", payloads.UploadTemplateMedia)
list_templates = Operation("list_templates", payloads.ListTemplates, repeat="always", bulk_repeat="always")
create_campaign = Operation("create_campaign", payloads.CreateCampaign)
find_users = Operation("find_users", payloads.FindUsers, repeat="always", bulk_repeat="always")
assign_chat = Operation("assign_chat", payloads.AssignChat, repeat="always", bulk_repeat="always")
assign_chat_to_agent = Operation(
    "assign_chat_to_agent", payloads.AssignChatToAgent, repeat="always", bulk_repeat="always"
)

OPERATIONS: dict[str, Operation[object]] = {  # type: ignore[type-var]
    found.name: found for found in list(globals().values()) if isinstance(found, Operation)
}

# no call of Interakt's API, so not among OPERATIONS: the worker plans a campaign and starts it
run_campaign = Operation(
    "run_campaign", payloads.RunCampaign, lane="bulk", repeat="always", bulk_repeat="always"
)
