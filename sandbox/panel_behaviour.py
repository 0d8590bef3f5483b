"""Control calls that change how the sandbox behaves: settings, faults, reset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.app import App


def get_faults(app: App, given: Any) -> Any:
    return {"rules": [rule.shown() for rule in app.faults.rules]}


def set_faults(app: App, given: Any) -> Any:
    app.faults.set(given)
    return get_faults(app, given)


def clear_faults(app: App, given: Any) -> Any:
    app.faults.set([])
    return get_faults(app, given)


def get_settings(app: App, given: Any) -> Any:
    return app.settings.shown()


def set_settings(app: App, given: dict[str, Any]) -> Any:
    """With ``account`` only its ``calls_per_minute`` changes. A changed limit starts its window anew."""
    label = given.pop("account", None)
    if label is not None:
        if set(given) != {"calls_per_minute"}:
            raise ValueError("with account, only calls_per_minute can be set")
        account = app.account(str(label))
        account.calls_per_minute = float(given["calls_per_minute"])
        account.limit_changed()
        return {"account": label, "calls_per_minute": account.calls_per_minute}
    app.settings.change(given)
    if given.keys() & {"calls_per_minute", "window_seconds", "window"}:
        for account in app.accounts.values():
            account.limit_changed()
    return app.settings.shown()


def reset(app: App, given: Any) -> Any:
    app.reset()
    return {"reset": True}
