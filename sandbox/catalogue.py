"""Templates and campaigns, made and listed, and media uploads (document 4 and 5, interakt-api 3 and 4)."""

from __future__ import annotations

import uuid
from typing import Any

from sandbox import clock
from sandbox.answers import Answer, Refused
from sandbox.context import Context, need_text
from sandbox.messages import approved
from sandbox.templates import Part, Template, count

LANGUAGES = {
    "english": "en",
    "english (us)": "en_US",
    "english (uk)": "en_GB",
    "hindi": "hi",
    "spanish": "es",
}
MEDIA = ("IMAGE", "VIDEO", "DOCUMENT")


def create_template(call: Context) -> Answer:
    """Make a template that waits for approval (``auto_approve`` approves it at once)."""
    template = from_document(call.body)
    templates, name, number = call.account.templates, template.name, 2
    if (name, template.language) in templates and call.settings.refuse_duplicates:
        raise Refused("['Template with this name already exists']")
    while (template.name, template.language) in templates:
        template.name, number = f"{name}_{number}", number + 1
    template.status = "APPROVED" if call.settings.auto_approve else "WAITING"
    templates[template.name, template.language] = template
    row = template.row()
    return Answer(201, {"result": True, "message": "Template created successfully", "data": row})


def from_document(body: dict[str, Any]) -> Template:
    """A template from the body of document 4.1 to 4.3 or its current form; raises ``Refused``."""
    display = need_text(body, "display_name")
    language = need_text(body, "language")
    part = _part(body)
    cards = body.get("carousel_cards") or []
    if not isinstance(cards, list) or not all(isinstance(card, dict) for card in cards) or len(cards) > 10:
        raise Refused("['carousel_cards must be a list of at most 10 cards']")
    return Template(
        name=display.strip().lower().replace(" ", "_"),
        display_name=display,
        language=LANGUAGES.get(language.lower(), language),
        category=need_text(body, "category").upper(),
        body=part.body,
        header_format=part.header_format,
        header=part.header,
        buttons=part.buttons,
        footer=body.get("footer"),
        cards=[_part(card) for card in cards],
    )


def _part(body: dict[str, Any]) -> Part:
    text = need_text(body, "body")
    if len(text) > 1024:
        raise Refused("['body is longer than 1024 characters']")
    samples = body.get("body_text") or []
    if not isinstance(samples, list) or len(samples) != count(text):
        raise Refused(f"['body_text must have {count(text)} sample values']")
    header_format = body.get("header_format")
    if header_format not in (None, "", "TEXT", *MEDIA):
        raise Refused(f"""['"{header_format}" is not a valid choice.']""")
    header = body.get("header")
    if header_format == "TEXT":
        # The document puts the text itself into header_text; currently that holds the sample values.
        header = header or body.get("header_text")
        if not isinstance(header, str) or not header or len(header) > 60:
            raise Refused("['header must be a text of 1 to 60 characters']")
    if header_format in MEDIA and not body.get("header_handle"):
        raise Refused("['header_handle is required']")
    buttons = body.get("buttons") or []
    if not isinstance(buttons, list) or not all(isinstance(button, dict) for button in buttons):
        raise Refused("['buttons must be a list of objects']")
    return Part(text, header_format or None, header if header_format == "TEXT" else None, buttons)


def list_templates(call: Context) -> Answer:
    """One page of templates, the newest first; ``limit`` is the document's, at most 100."""
    offset, limit, query = call.number("offset", 0), call.number("limit", 100, 100), call.query
    rows = [template.row() for template in reversed(call.account.templates.values())]
    for name, field in (
        ("template_name", "name"),
        ("approval_status", "approval_status"),
        ("language", "language"),
        ("variable_present", "variable_present"),
    ):
        if (wanted := query.get(name, "")) and wanted != "all":
            rows = [row for row in rows if row[field] == wanted]
    page = rows[offset : offset + limit]
    body = {"count": len(rows), "has_next": offset + limit < len(rows), "results": {"templates": page}}
    return Answer(200, body)


def create_campaign(call: Context) -> Answer:
    """Make an API campaign; the same name twice is two campaigns, unless ``refuse_duplicates`` is set."""
    body = call.body
    name = need_text(body, "campaign_name")
    if need_text(body, "campaign_type") != "PublicAPI":
        raise Refused(f"""['"{body["campaign_type"]}" is not a valid choice.']""")
    approved(call.account, need_text(body, "template_name"), need_text(body, "language_code"))
    if call.settings.refuse_duplicates and name in call.account.campaigns.values():
        raise Refused("['Campaign with this name already exists']")
    call.account.campaigns[call.id] = name
    data = {"campaignId": call.id, "name": name, "type": "PublicAPI"}
    return Answer(201, {"result": True, "message": "Api Campaign Created created successfully", "data": data})


def upload_media(call: Context) -> Answer:
    """Take the multipart field ``uploadFile`` and give the handle that templates need."""
    if call.query.get("fileCategory") != "message_template_media":
        raise Refused("['fileCategory must be message_template_media']")
    name, size = uploaded(call.content_type, call.raw)
    if not name or not size:
        raise Refused("['uploadFile is required']")
    stored = f"https://media.example.com/{uuid.uuid4()}/{name}"
    handle = f"4::{uuid.uuid4().hex}:{int(clock.now())}"
    data = {"file_url": stored, "file_handle": handle, "file_name": name}
    return Answer(200, {"result": True, "message": "File uploaded successfully", "data": data})


def uploaded(content_type: str, raw: bytes) -> tuple[str, int]:
    """Name and size (bytes) of the multipart field ``uploadFile``; empty and 0 when it is not there."""
    _, found, boundary = content_type.partition("boundary=")
    if not found or not content_type.lower().startswith("multipart/form-data"):
        return "", 0
    for part in raw.split(b"--" + boundary.split(";")[0].strip('"').encode()):
        head, _, content = part.partition(b"\r\n\r\n")
        text = head.decode("utf-8", "replace")
        if 'name="uploadFile"' in text:
            _, _, name = text.partition('filename="')
            return name.partition('"')[0], len(content.removesuffix(b"\r\n"))
    return "", 0
