"""Nothing that is sent makes the sandbox itself fail: it answers, and records the call."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox import faults, hooks, panel
from sandbox.accounts import key_from
from sandbox.answers import Reply
from sandbox.app import App
from sandbox.catalogue import uploaded
from sandbox.control import Sandbox
from sandbox.incoming import BadRequest, Request, take_body, take_head
from sandbox.routes import BY_END, ROUTES
from sandbox.settings import Settings
from sandbox.stack import ROOT

DOCUMENT = (ROOT / "examples" / "One_Key_CRM_API.md").read_text()
EXAMPLES = [
    json.loads(text)
    for text in re.findall(r"\*\*Payload\*\*:\s*```json(.*?)```", DOCUMENT, re.S)
    if "..." not in text
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
PATHS = st.sampled_from([*ROUTES, *(start + "x" for start in BY_END), "nowhere/"])


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value inside ``value``."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for key, inner in items for place in places(inner, (*at, key)))]


def changed(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    if not place:
        return new
    copy = value.copy()
    copy[place[0]] = changed(value[place[0]], place[1:], new)
    return copy


@st.composite
def broken_examples(draw: st.DrawFn) -> Any:
    body = draw(st.sampled_from(EXAMPLES))
    return changed(body, draw(st.sampled_from(places(body))), draw(JSON))


def answer(app: App, path: str, body: bytes, method: str, query: str = "") -> Reply:
    headers = {"authorization": f"Basic {Sandbox.key}", "content-type": "application/json"}
    return app.handle(Request(method, f"/v1/public/{path}", query, False, headers, body, 1.0))


@given(PATHS, broken_examples() | JSON, st.text(max_size=30))
@settings(max_examples=400, deadline=None)
def test_any_json_gets_an_answer_and_is_recorded(path: str, body: Any, query: str) -> None:
    app = App(Settings(calls_per_minute=0))
    method = ROUTES[path].method if path in ROUTES else "GET"
    reply = answer(app, path, json.dumps(body).encode(), method, f"limit={query}&offset={query}")
    assert reply.status in (200, 201, 202, 400, 404)
    json.loads(reply.body) if reply.status != 404 else None
    assert b"".join(app.calls.arrivals()).count(b"\n") == 1


@given(PATHS, st.binary(max_size=200), st.sampled_from(["GET", "POST", "PUT", "nonsense"]))
@settings(deadline=None)
def test_any_bytes_get_an_answer(path: str, body: bytes, method: str) -> None:
    assert answer(App(Settings(calls_per_minute=0)), path, body, method).status in (200, 400, 404, 500)


@given(st.text(max_size=60))
def test_any_authorization_is_read(header: str) -> None:
    key_from(header)
    key_from(f"Basic {header}")


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_a_request_or_none(raw: bytes, headed: bool) -> None:
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" if headed else b""
    buffer = bytearray(head + raw)
    try:
        request = take_head(buffer)
        if request is not None:
            take_body(request, buffer)
    except BadRequest as bad:
        assert bad.status in (400, 413, 431)


@given(st.text(max_size=60), st.binary(max_size=200))
def test_any_upload_is_read(content_type: str, raw: bytes) -> None:
    uploaded(f"multipart/form-data; boundary={content_type}", raw)


@given(JSON | st.dictionaries(st.sampled_from([*faults.NAMES, *vars(hooks.Hook())]), JSON, max_size=3))
@settings(deadline=None)
def test_any_control_call_is_carried_out_or_refused(given_json: Any) -> None:
    app = App(Settings())
    for method, name in panel.ACTIONS:
        body = json.dumps(given_json).encode()
        reply = panel.handle(app, Request(method, panel.PREFIX + name, "", False, {}, body, 1.0))
        assert reply.status in (200, 400)
