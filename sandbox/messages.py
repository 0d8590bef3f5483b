"""``POST message/``: session messages and templates, refused in the order that was seen (interakt-api 3.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox import phones, session, values
from sandbox.accounts import Account
from sandbox.answers import QUEUED, Answer, Message, Refused
from sandbox.context import Context, need_text
from sandbox.templates import Template

CONTENT: dict[str, Callable[[dict[str, Any]], str]] = {
    "Text": session.text,
    "Image": session.media,
    "Document": session.media,
    "Video": session.media,
    "Audio": session.media,
    "Sticker": session.media,
    "InteractiveButton": session.buttons,
    "InteractiveList": session.choices,
}


def send_message(call: Context) -> Answer:
    """Accept one message, or raise ``Refused``."""
    body = call.body
    phone = phones.read(body)
    callback_data = callback_of(body)
    kind = body.get("type")
    template = None
    if kind == "Template":
        template, text = _template(call, body)
    elif isinstance(kind, str) and kind in CONTENT:
        call.account.check_window(phone)
        data = body.get("data")
        text = CONTENT[kind](data if isinstance(data, dict) else {})
    else:
        raise Refused(f"""['"{kind}" is not a valid choice.']""")
    campaign = body.get("campaignId")
    message = Message(
        call.id, phone, kind, callback_data, campaign if isinstance(campaign, str) else None, template, text
    )
    return Answer(201, {"result": True, "message": QUEUED, "id": call.id}, message=message)


def callback_of(body: dict[str, Any]) -> str | None:
    """``callbackData``, at most 512 characters (interakt-api 5); raises ``Refused``."""
    value = body.get("callbackData")
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > 512:
        raise Refused("callbackData must be a string of at most 512 characters")
    return value


def _template(call: Context, body: dict[str, Any]) -> tuple[Template, str]:
    sent = body.get("template")
    if not isinstance(sent, dict):
        raise Refused("['template is required']")
    template = approved(call.account, need_text(sent, "name"), need_text(sent, "languageCode"))
    wanted = body.get("template_category") or sent.get("template_category")
    if wanted and str(wanted).upper() != template.category:
        raise Refused(
            f"Message not sent. Template category mismatch: Expected '{wanted}', but received "
            f"'{template.category}'. Please update the request to match the approved template category."
        )
    if not (call.settings.permissive and template.status == "UNKNOWN"):
        values.check(template, sent)
    given = sent.get("bodyValues")
    return template, "" if not isinstance(given, list) else "\n".join(str(value) for value in given)


def approved(account: Account, name: str, language: str) -> Template:
    """The approved template; raises ``Refused`` with Interakt's words. A permissive sandbox makes one up."""
    found = account.templates.get((name, language))
    if found is not None and found.status == "APPROVED":
        return found
    if found is None and account.settings.permissive:
        return Template(name=name, language=language, status="UNKNOWN")
    raise Refused(
        f"Please correct the following error - No approved template found with name '{name}' and language "
        f"'{language}'. Please re-sync on Interakt dashboard and try again"
    )
