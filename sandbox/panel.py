"""The control interface under ``/_sandbox/``: JSON, while running, without a key."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from sandbox import panel_behaviour as behaviour
from sandbox import panel_record as record
from sandbox import panel_world as world
from sandbox.answers import Refused, Reply, encode
from sandbox.incoming import Request

if TYPE_CHECKING:
    from sandbox.app import App

PREFIX = "/_sandbox/"
ACTIONS: dict[tuple[str, str], Callable[[App, Any], Any]] = {
    ("GET", "calls"): record.calls,
    ("GET", "jobs"): record.jobs,
    ("GET", "arrivals"): record.arrivals,
    ("GET", "summary"): record.summary,
    ("GET", "faults"): behaviour.get_faults,
    ("POST", "faults"): behaviour.set_faults,
    ("DELETE", "faults"): behaviour.clear_faults,
    ("GET", "settings"): behaviour.get_settings,
    ("POST", "settings"): behaviour.set_settings,
    ("POST", "reset"): behaviour.reset,
    ("POST", "templates"): world.templates,
    ("GET", "webhooks"): world.get_webhooks,
    ("POST", "webhooks"): world.set_webhooks,
    ("DELETE", "webhooks"): world.clear_webhooks,
    ("POST", "webhooks/test"): world.test_webhook,
    ("POST", "inbound"): world.inbound,
}


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
            raise TypeError("the body must be a JSON object")
        answer = action(app, given)
    except Refused as refused:
        return Reply(400, encode({"error": refused.message}))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return Reply(400, encode({"error": str(error)}))
    return answer if isinstance(answer, Reply) else Reply(200, encode(answer))
