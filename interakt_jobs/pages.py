"""All pages of a listing: the next page's job is enqueued from the last answer, so no job makes thousands of calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .job import Job
from .operation import Operation


def next_page(payload: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any] | None:
    """The payload of the page after ``answer`` (a job's result), or None after the last page."""
    data = answer.get("data") or {}
    rows = _rows(data)
    more = data.get("has_next", data.get("has_next_page"))
    limit = int(payload.get("limit", 0) or 0)
    if more is None:
        more = bool(rows) and (not limit or len(rows) >= limit)
    if not more or not rows:
        return None
    return {**payload, "offset": int(payload.get("offset", 0)) + len(rows)}


def _rows(data: Mapping[str, Any]) -> list[Any]:
    results = data.get("results")
    if isinstance(results, Mapping):
        data = results
    for name in ("templates", "customers"):
        if isinstance(data.get(name), list):
            return list(data[name])
    return []


def pages(
    operation: Operation[Any], payload: Mapping[str, Any], *, timeout: float = 300.0, **options: Any
) -> Iterator[list[Any]]:
    """The rows of each page of ``list_templates`` or ``find_users``; ``timeout`` seconds a page.

    ``options`` are those of ``apply_async``; raises what ``Job.get`` raises.
    """
    at: dict[str, Any] | None = dict(payload)
    while at is not None:
        job: Job = operation.delay(at, **options)
        answer = job.get(timeout=timeout)
        yield _rows(answer.get("data") or {})
        at = next_page(at, answer)
