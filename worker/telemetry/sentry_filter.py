"""What may leave for Sentry: types, places, ids and our own words; every other value is hidden.

An exception's text, a log's arguments, a frame's locals, a span's description and a task's arguments may all quote a
payload, and nothing in them tells which part; so only what is listed here stays.
"""

from __future__ import annotations

import re
from typing import Any

from .logs import OURS
from .redaction import HIDDEN, mask_quoted, scrub

OWN = "interakt: "
# Constant or made by the SDK.
TOP = (
    "event_id", "timestamp", "start_timestamp", "level", "platform", "logger", "type", "release", "environment",
    "server_name", "sdk", "fingerprint", "modules", "transaction_info",
)  # fmt: skip
FRAME = ("filename", "abs_path", "function", "module", "lineno", "in_app")
SPAN = (
    "span_id",
    "trace_id",
    "parent_span_id",
    "same_process_as_parent",
    "op",
    "origin",
    "status",
    "start_timestamp",
    "timestamp",
)
FIELDS = frozenset((
    "action", "account", "operation", "job", "attempt", "outcome", "scope", "status", "queue", "lane", "reason", "kind",
    "error", "settled", "version",
))  # fmt: skip
CONTEXTS = {"runtime": ("name", "version", "build"), "trace": SPAN}
_TASK = re.compile(r"(interakt\.[a-z_]{1,60}|GET|POST|PUT|[A-Z]{2,12})\b")


def event(event: Any, hint: Any = None) -> Any:
    """An event or a transaction, rebuilt from what may leave."""
    made: dict[str, Any] = {name: event[name] for name in TOP if name in event}
    if hint:
        hint["attachments"] = []
    made["fingerprint"] = [scrub(str(part)) for part in event.get("fingerprint") or []] or ["{{ default }}"]
    made["tags"] = _fields(event.get("tags"))
    made["extra"] = _fields(event.get("extra"))
    made["contexts"] = {
        name: {known: found[known] for known in keep if known in found}
        for name, keep in CONTEXTS.items()
        if isinstance(found := (event.get("contexts") or {}).get(name), dict)
    }
    _words(event, made)
    if "exception" in event:
        made["exception"] = {"values": [_exception(value) for value in _values(event["exception"])]}
    if "threads" in event:
        made["threads"] = {"values": [_thread(value) for value in _values(event["threads"])]}
    crumbs = [breadcrumb(crumb) for crumb in _values(event.get("breadcrumbs"))]
    made["breadcrumbs"] = {"values": [crumb for crumb in crumbs if crumb]}
    if event.get("type") == "transaction":
        made["transaction"] = _operation(event.get("transaction"))
        made["spans"] = [_span(span) for span in event.get("spans") or []]
    return made


def breadcrumb(crumb: dict[str, Any], hint: dict[str, Any] | None = None) -> dict[str, Any] | None:
    """A breadcrumb without its message and data: when, what kind, and an HTTP call's method and status."""
    made: dict[str, Any] = {
        name: crumb[name] for name in ("type", "category", "level", "timestamp") if name in crumb
    }
    data = crumb.get("data")
    if isinstance(data, dict):
        made["data"] = {
            **{name: _operation(data[name]) for name in ("method", "http.method") if name in data},
            **{name: data[name] for name in ("status_code",) if isinstance(data.get(name), int)},
            **_fields(data),
        }
    return made


def _words(event: dict[str, Any], made: dict[str, Any]) -> None:
    """The message: ours whole, of a log only what the programmer wrote."""
    logger = str(event.get("logger") or "")
    entry = event.get("logentry")
    if isinstance(entry, dict) and logger:
        template = str(entry.get("message") or "")
        ours, parameters = logger.partition(".")[0] in OURS, entry.get("params")
        written = template if ours or parameters else HIDDEN
        made["logentry"] = {"message": scrub(mask_quoted(written))[:500], "params": []}
    elif str(event.get("message") or "").startswith(OWN):
        made["message"] = scrub(str(event["message"]))[:500]
    elif event.get("message") or entry:
        made["message"] = HIDDEN


def _exception(value: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {name: value[name] for name in ("type", "module", "thread_id") if name in value}
    mechanism = value.get("mechanism")
    if isinstance(mechanism, dict):
        known = ("type", "handled", "exception_id", "parent_id", "source", "is_exception_group")
        made["mechanism"] = {name: mechanism[name] for name in known if name in mechanism}
    ours = str(value.get("module") or "").partition(".")[0] in OURS
    made["value"] = scrub(mask_quoted(str(value.get("value") or "")))[:500] if ours else HIDDEN
    made["stacktrace"] = _stack(value.get("stacktrace"))
    return made


def _thread(value: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {
        name: value[name] for name in ("id", "crashed", "current", "main") if name in value
    }
    return {**kept, "stacktrace": _stack(value.get("stacktrace"))}


def _stack(stack: Any) -> dict[str, Any]:
    frames = stack.get("frames") or [] if isinstance(stack, dict) else []
    return {"frames": [{name: frame[name] for name in FRAME if name in frame} for frame in frames]}


def _span(span: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {name: span[name] for name in SPAN if name in span}
    return {**made, "description": _operation(span.get("description"))}


def _operation(text: Any) -> str:
    """The task's name, the command or the method that a description begins with."""
    found = _TASK.match(str(text or ""))
    return found[0] if found else HIDDEN


def _fields(found: Any) -> dict[str, Any]:
    pairs = found.items() if isinstance(found, dict) else found or ()
    return {
        str(name): scrub(mask_quoted(value))[:300] if isinstance(value, str) else value
        for name, value in pairs
        if name in FIELDS and isinstance(value, str | int | None)
    }


def _values(found: Any) -> list[Any]:
    if isinstance(found, dict):
        found = found.get("values")
    return [value for value in found or [] if isinstance(value, dict)]
