"""One answer of Interakt's, read: the outcome table of docs/reliability.md as one pure function.

| what came back | outcome |
|---|---|
| 2xx, ``result`` not false | accepted |
| 2xx that cannot be read | unknown; of what is safe to repeat: unavailable |
| "already assigned" to an assignment | accepted |
| 401, 403 | refused, account |
| 4xx or ``result`` false about the template | refused, template |
| ... about wallet, balance, recharge, subscription, plan | refused, account |
| a redirect; 404, 405, 407, 421 that are no JSON | refused, deployment |
| other 4xx; 2xx with ``result`` false | refused, job |
| another 4xx that broke off | unavailable |
| 429 | unavailable, throttled |
| 503 | unavailable |
| other 5xx | unknown; of what is safe to repeat: unavailable |

There is no error code field, so the text decides between 400s (interakt-api 3); it may be a stringified list.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from interakt_jobs.operation import Kind
from worker.telemetry.redaction import mask_quoted

from .errors import InteraktError, Refused, Scope, Throttled, Unavailable, Unknown

LONGEST_WAIT = 3600.0
NOT_THE_API = frozenset({404, 405, 407, 421})
_ACCOUNT = re.compile(r"\b(wallet|balance|recharge|insufficient|subscriptions?|plans?)\b", re.IGNORECASE)
_TEMPLATE = re.compile(
    r"no approved template|template category mismatch"
    r"|\btemplate\b.{0,80}\b(paused|disabled|rejected|deleted|not approved|not found|does ?n[o']t exist)\b",
    re.IGNORECASE | re.DOTALL,
)
_ASSIGNED = re.compile(r"already assigned", re.IGNORECASE)


class Answer(NamedTuple):
    """Interakt's answer to an accepted call: its ``id`` and ``message`` if it gave them, and its ``data``."""

    status: int
    id: str | None
    message: str
    data: Any


def classify(
    kind: Kind,
    status: int,
    headers: Mapping[str, str],
    body: bytes | None,
    now: float | None = None,
    clean: Callable[[str], str] = str,
) -> Answer:
    """The answer; raises an ``InteraktError`` when the call was not accepted.

    ``body`` is None when it could not be read to its end. ``headers`` has names in lower case. ``now``
    (seconds since 1970) is what a Retry-After date is compared with; without it a date is left out. ``clean`` is what
    Interakt's words go through before anybody reads them; what they mean is decided before.
    """
    content = _object(body)
    text = _text(content) if content else ""
    if content and status < 500 and kind == "upsert" and _ASSIGNED.search(text):
        return _answer(status, content, clean(text))
    if 200 <= status < 300:
        if content is None:
            raise doubtful(kind, "the answer was a success that cannot be read", status)
        if content.get("result") in (False, "false", "False"):
            raise _refused(status, text, clean)
        return _answer(status, content, clean(text))
    wait = _retry_after(headers.get("retry-after"), now)
    if status == 429 or status >= 500:
        raise _not_now(kind, status, clean(text), wait)
    raise _no(status, text, body, content is not None, clean)


def doubtful(
    kind: Kind, text: str, status: int | None = None, retry_after: float | None = None
) -> InteraktError:
    """The error of a request that left without a clear answer: what is safe to repeat may be repeated."""
    family = Unavailable if kind in ("read", "upsert") else Unknown
    return family(text, status, "job", retry_after)


def _not_now(kind: Kind, status: int, text: str, wait: float | None) -> InteraktError:
    if status == 429:
        return Throttled(text or "over the calls per minute", status, "account", wait)
    if status == 503:
        return Unavailable(text or "Interakt is not available", status, "job", wait)
    return doubtful(kind, text or "Interakt failed", status, wait)


def _no(
    status: int, text: str, body: bytes | None, readable: bool, clean: Callable[[str], str]
) -> InteraktError:
    if status < 400:
        return Refused("a redirect: is INTERAKT_BASE_URL the API's address?", status, "deployment")
    if status in (401, 403):
        return Refused(clean(text) or "the key was not accepted", status, "account")
    if body is None:
        return Unavailable("the answer broke off", status)
    if not readable and status in NOT_THE_API:
        return Refused("no answer of the API: is INTERAKT_BASE_URL right?", status, "deployment")
    return _refused(status, text, clean)


def _refused(status: int, text: str, clean: Callable[[str], str]) -> InteraktError:
    plain = mask_quoted(text)
    scope: Scope = "job"
    if _TEMPLATE.search(plain):
        scope = "template"
    elif _ACCOUNT.search(plain):
        scope = "account"
    return Refused(clean(text) or "refused without a word", status, scope)


def _object(body: bytes | None) -> dict[str, Any] | None:
    if not body:
        return None
    try:
        content = json.loads(body, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _answer(status: int, content: dict[str, Any], text: str) -> Answer:
    data = content.get("data")
    if "data" not in content:
        data = {
            name: value for name, value in content.items() if name not in ("result", "message", "id")
        } or None
    found = content.get("id")
    if not found and isinstance(data, dict):
        found = next((data[name] for name in ("campaignId", "campaign_id", "id") if data.get(name)), None)
    usable = isinstance(found, str | int) and not isinstance(found, bool)
    return Answer(status, _sane(str(found))[:200] or None if usable else None, text[:300], data)


def _text(content: dict[str, Any]) -> str:
    for name in ("message", "error", "detail", "errors"):
        if content.get(name):
            return _sane(" ".join(_words(content[name], 4)))[:2000]
    return ""


def _words(value: Any, depth: int) -> list[str]:
    if isinstance(value, dict | list) and depth:
        inside = value.values() if isinstance(value, dict) else value
        return [word for item in list(inside)[:20] for word in _words(item, depth - 1)]
    text = value[:2000].strip() if isinstance(value, str) else ""
    if text[:1] == "[" and text[-1:] == "]":
        text = text[1:-1].strip().strip("'\"")
    return [text] if text else []


def _sane(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _retry_after(value: str | None, now: float | None) -> float | None:
    """Seconds from ``120`` or ``Wed, 21 Oct 2026 07:28:00 GMT``; None for anything else."""
    if not value:
        return None
    value = value.strip()
    if value.isascii() and value.replace(".", "", 1).isdigit() and len(value) < 12:
        return min(float(value), LONGEST_WAIT)
    if now is None:
        return None
    try:
        return min(max(0.0, parsedate_to_datetime(value).timestamp() - now), LONGEST_WAIT)
    except (ValueError, TypeError, OverflowError):
        return None
