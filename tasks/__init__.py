"""What can be asked for: one Celery task per operation, with its section of Interakt's document."""

from interakt_jobs import OPERATIONS

from .job_task import task

__all__ = list(OPERATIONS)

track_user = task("interakt.track_user", "1.1 Create or update a user.")
track_event = task("interakt.track_event", "1.2 Record an event of a user.")
send_text = task("interakt.send_text", "2 Send a text message.")
send_image = task("interakt.send_image", "2.1 Send an image.")
send_document = task("interakt.send_document", "2.2 Send a document.")
send_video = task("interakt.send_video", "2.3 Send a video.")
send_audio = task("interakt.send_audio", "2.4 Send an audio file.")
send_sticker = task("interakt.send_sticker", "2.5 Send a sticker.")
send_buttons = task("interakt.send_buttons", "2.6 Send up to three reply buttons.")
send_list = task("interakt.send_list", "2.7 Send a list of up to ten rows.")
send_template = task("interakt.send_template", "3.1, 3.2, 3.4, 3.5, 3.6 Send a template message.")
send_auth_template = task("interakt.send_auth_template", "3.3 Send an authentication code, in urgent.")
create_template = task("interakt.create_template", "4.1, 4.2, 4.3 Create a template.")
upload_template_media = task("interakt.upload_template_media", "4.2, 4.3 Get a file handle for a template.")
list_templates = task("interakt.list_templates", "4.4 One page of templates.")
create_campaign = task("interakt.create_campaign", "5.1 Register a campaign at Interakt.")
find_users = task("interakt.find_users", "6.1 One page of users by filters.")
send_rcs_text = task("interakt.send_rcs_text", "7.1 Send an RCS text.")
send_rcs_carousel = task("interakt.send_rcs_carousel", "7.2 Send an RCS carousel.")
send_rcs_card = task("interakt.send_rcs_card", "7.3 Send an RCS card.")
assign_chat = task("interakt.assign_chat", "8.1 Assign a user's chat to an agent by ids.")
assign_chat_to_agent = task("interakt.assign_chat_to_agent", "A chat to an agent by e-mail (assignment/).")
run_campaign = task("interakt.run_campaign", "Plan a campaign and start it, or start one that is planned.")
