"""Enqueue WhatsApp and RCS messages for Interakt from any application: ``send_template.delay({...})``.

When ``.delay()`` returns, the job is in the ledger: it is not lost, not sent twice outside one documented window, is
sent inside the account's rate limit, and ends as done, dead (with a reason) or cancelled.
"""

from .batch import Accepted
from .check import PayloadError
from .errors import (
    IdempotencyConflict,
    InvalidJobId,
    JobCancelled,
    JobDead,
    JobError,
    LedgerDamaged,
    LedgerFull,
    LedgerRefused,
    LedgerUnreachable,
    NoSuchJob,
    NotCancellable,
    NotConfigured,
    Unregistered,
)
from .event import JobEvent
from .inbound import Inbound, inbound
from .job import Job, new_id
from .operation import Operation
from .operations import (
    OPERATIONS,
    assign_chat,
    assign_chat_to_agent,
    create_campaign,
    create_template,
    find_users,
    list_templates,
    run_campaign,
    send_audio,
    send_auth_template,
    send_buttons,
    send_document,
    send_image,
    send_list,
    send_rcs_card,
    send_rcs_carousel,
    send_rcs_text,
    send_sticker,
    send_template,
    send_text,
    send_video,
    track_event,
    track_user,
    upload_template_media,
)
from .pages import pages
from .settings import configure

__all__ = [
    "OPERATIONS",
    "Accepted",
    "IdempotencyConflict",
    "Inbound",
    "InvalidJobId",
    "Job",
    "JobCancelled",
    "JobDead",
    "JobError",
    "JobEvent",
    "LedgerDamaged",
    "LedgerFull",
    "LedgerRefused",
    "LedgerUnreachable",
    "NoSuchJob",
    "NotCancellable",
    "NotConfigured",
    "Operation",
    "PayloadError",
    "Unregistered",
    "assign_chat",
    "assign_chat_to_agent",
    "configure",
    "create_campaign",
    "create_template",
    "find_users",
    "inbound",
    "list_templates",
    "new_id",
    "pages",
    "run_campaign",
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
