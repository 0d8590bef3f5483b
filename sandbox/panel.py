"""The control interface under ``/_sandbox/``: JSON, while running, without a key."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from sandbox import phones, shapes
from sandbox.accounts import EXAMPLE_PHONE
from sandbox.answers import Refused, Reply, encode
from sandbox.catalogue import from_document
from sandbox.incoming import Request
from sandbox.templates import STATUSES, Part, Template

if TYPE_CHECKING:
    from sandbox.app import App

PREFIX = "/_sandbox/"
TEXT = "text/plain; charset=utf-8"


class Wrong(Exception):
    """The control call cannot be carried out; the text says why."""


def handle(app: App, request: Request) -> Reply:
    """Answer one control call: 200 with JSON, or 4xx with ``{"error": ...}``."""
    name = request.path.removeprefix(PREFIX).rstrip("/")
    action = ACTIONS.get((request.method, name))
    if action is None:
        known = sorted(f"{method} {PREFIX}{path}" for method, path in ACTIONS)
        return Reply(404, encode({"error": f"no {request.method} {request.path}", "known": known}))
    try:
        given = json.loads(request.body) if request.body else dict(parse_qsl(request.query))
        if not isinstance(given, dict | list):
            raise Wrong("the body must be a JSON object")
        answer = action(app, given)
    except Refused as refused:
        return Reply(400, encode({"error": refused.message}))
    except (Wrong, ValueError, KeyError, TypeError) as error:
        return Reply(400, encode({"error": str(error)}))
    return answer if isinstance(answer, Reply) else Reply(200, encode(answer))


def calls(app: App, given: dict[str, Any]) -> Any:
    since, limit = int(given.get("since", 0)), int(given.get("limit", 1000))
    return app.calls.page(since, limit, given.get("bodies") in ("1", "true"))


def jobs(app: App, given: dict[str, Any]) -> Any:
    return Reply(200, b"", TEXT, manner="stream", stream=app.calls.jobs())


def arrivals(app: App, given: dict[str, Any]) -> Any:
    return Reply(200, b"", TEXT, manner="stream", stream=app.calls.arrivals())


def summary(app: App, given: dict[str, Any]) -> Any:
    counts = [
        {"operation": operation, "status": status, "accepted": accepted, "calls": number}
        for (operation, status, accepted), number in sorted(app.calls.counts.items(), key=str)
        if number
    ]
    accounts = {
        label: {
            "calls": account.meter.calls,
            "limit": account.meter.limit,
            "window_seconds": account.meter.window,
            "peak_in_window": account.meter.peak,
            "over_limit": account.meter.over,
            "templates": len(account.templates),
            "customers": len(account.customers),
        }
        for label, account in app.accounts.items()
    }
    return {
        "calls": sum(row["calls"] for row in counts),
        "counts": counts,
        "accepted_more_than_once": list(app.calls.repeated),
        "accounts": accounts,
        "simultaneous": app.in_flight,
        "peak_simultaneous": app.peak_in_flight,
    }


def get_faults(app: App, given: Any) -> Any:
    return {"rules": [rule.shown() for rule in app.faults.rules]}


def set_faults(app: App, given: Any) -> Any:
    app.faults.set(given)
    return get_faults(app, given)


def clear_faults(app: App, given: Any) -> Any:
    app.faults.rules.clear()
    return get_faults(app, given)


def get_settings(app: App, given: Any) -> Any:
    return app.settings.shown()


def set_settings(app: App, given: dict[str, Any]) -> Any:
    """With ``account`` only its ``calls_per_minute`` changes. A changed limit starts its window anew."""
    label = given.pop("account", None)
    if label is not None:
        if set(given) != {"calls_per_minute"}:
            raise Wrong("with account, only calls_per_minute can be set")
        account = app.account(str(label))
        account.calls_per_minute = float(given["calls_per_minute"])
        account.limit_changed()
        return {"account": label, "calls_per_minute": account.calls_per_minute}
    app.settings.change(given)
    if given.keys() & {"calls_per_minute", "window_seconds", "window"}:
        for account in app.accounts.values():
            account.limit_changed()
    return app.settings.shown()


def templates(app: App, given: dict[str, Any]) -> Any:
    """Add a template (short form, or the document's with ``display_name``), or change one's ``status``."""
    labels = [str(given.pop("account"))] if "account" in given else list(app.accounts)
    if not labels:
        raise Wrong("no account yet: name one with account, or make a call first")
    status = str(given.pop("status", "APPROVED")).upper()
    if status not in STATUSES:
        raise Wrong(f"status must be one of {', '.join(STATUSES)}")
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
        raise Wrong("no such template; to add one, give its body")
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
        raise Wrong("give text, button_reply, list_reply or media_url")
    labels = [str(given["account"])] if "account" in given else list(app.accounts)
    for label in labels:
        account = app.account(label)
        if not given.get("rcs"):
            account.wrote(phone)
    return {
        "accounts": labels,
        "queued": [app.webhooks.wrote(app.account(one), phone, given) for one in labels],
    }


def reset(app: App, given: Any) -> Any:
    app.reset()
    return {"reset": True}


ACTIONS: dict[tuple[str, str], Callable[[App, Any], Any]] = {
    ("GET", "calls"): calls,
    ("GET", "jobs"): jobs,
    ("GET", "arrivals"): arrivals,
    ("GET", "summary"): summary,
    ("GET", "faults"): get_faults,
    ("POST", "faults"): set_faults,
    ("DELETE", "faults"): clear_faults,
    ("GET", "settings"): get_settings,
    ("POST", "settings"): set_settings,
    ("POST", "templates"): templates,
    ("GET", "webhooks"): get_webhooks,
    ("POST", "webhooks"): set_webhooks,
    ("DELETE", "webhooks"): clear_webhooks,
    ("POST", "webhooks/test"): test_webhook,
    ("POST", "inbound"): inbound,
    ("POST", "reset"): reset,
}
