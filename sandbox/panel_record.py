"""Control calls that read the record: what arrived, what was accepted, what was too much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.answers import Reply

if TYPE_CHECKING:
    from sandbox.app import App

TEXT = "text/plain; charset=utf-8"


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
