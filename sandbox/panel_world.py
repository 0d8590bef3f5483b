"""Control calls that change the world around the API: templates, webhooks, people who write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox import phones, shapes
from sandbox.accounts import EXAMPLE_PHONE
from sandbox.catalogue import from_document
from sandbox.templates import STATUSES, Part, Template

if TYPE_CHECKING:
    from sandbox.app import App


def templates(app: App, given: dict[str, Any]) -> Any:
    """Add a template (short form, or the document's with ``display_name``), or change one's ``status``."""
    labels = [str(given.pop("account"))] if "account" in given else list(app.accounts)
    if not labels:
        raise ValueError("no account yet: name one with account, or make a call first")
    status = str(given.pop("status", "APPROVED")).upper()
    if status not in STATUSES:
        raise ValueError(f"status must be one of {', '.join(STATUSES)}")
    shown = []
    for label in labels:
        account = app.account(label)
        template = account.templates.get((str(given.get("name")), str(given.get("language", "en"))))
        if template is None or given.keys() - {"name", "language"}:
            template = _made(given)
            account.templates[template.name, template.language] = template
        changed = template.status != status
        template.status = status
        if changed:
            app.webhooks.tell(label, shapes.template_status(template))
        shown.append({"account": label, **template.row()})
    return {"templates": shown}


def _made(given: dict[str, Any]) -> Template:
    if "display_name" in given:
        return from_document(given)
    if "body" not in given:
        raise ValueError("no such template; to add one, give its body")
    return Template(**{**given, "cards": [Part(**card) for card in given.get("cards", [])]})


def get_webhooks(app: App, given: Any) -> Any:
    return {"webhooks": [{"account": label, **hook.shown()} for label, hook in app.webhooks.hooks.items()]}


def set_webhooks(app: App, given: dict[str, Any]) -> Any:
    app.webhooks.set(str(given.pop("account", "")), given)
    return get_webhooks(app, given)


def clear_webhooks(app: App, given: Any) -> Any:
    app.webhooks.clear()
    return get_webhooks(app, given)


def test_webhook(app: App, given: dict[str, Any]) -> Any:
    """What the dashboard's test button does; with ``payload``, any payload at all, signed."""
    payload = given.get("payload") or shapes.test()
    return {"queued": app.webhooks.tell(str(given.get("account", "")), payload)}


def inbound(app: App, given: dict[str, Any]) -> Any:
    """A person writes: opens the 24-hour window, and tells the webhook."""
    phone = str(given.get("phone", EXAMPLE_PHONE)).removeprefix("+")
    phone = phones.checked(phone if len(phone) > 10 else "91" + phone)
    kinds = [kind for kind in ("text", "button_reply", "list_reply", "media_url") if kind in given]
    if not kinds:
        raise ValueError("give text, button_reply, list_reply or media_url")
    labels = [str(given["account"])] if "account" in given else list(app.accounts)
    for label in labels:
        account = app.account(label)
        if not given.get("rcs"):
            account.wrote(phone)
    return {
        "accounts": labels,
        "queued": [app.webhooks.wrote(app.account(one), phone, given) for one in labels],
    }
