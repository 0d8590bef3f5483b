"""Errors to Sentry, if ``SENTRY_DSN`` is set; ``sentry_sdk`` is not even imported otherwise.

What may leave is listed in ``sentry_filter``; all else is hidden. No integration is loaded that patches Celery, Redis or
HTTP: they would carry arguments, commands and URLs, and add headers to Interakt's requests. Unexpected errors arrive by
the log (Celery logs what a task raises), expected ones by ``capture``.
"""

from __future__ import annotations

from typing import Any

from config.settings import Settings

from . import sentry_filter

FACTS = ("outcome", "scope", "status")  # what an InteraktError carries
_on = False


def start(settings: Settings, transport: Any = None) -> None:
    """Begin to report, if there is a DSN; ``transport`` replaces the network in tests."""
    global _on
    if settings.sentry_dsn is None:
        return
    import logging

    import sentry_sdk
    from sentry_sdk.integrations.atexit import AtexitIntegration
    from sentry_sdk.integrations.dedupe import DedupeIntegration
    from sentry_sdk.integrations.excepthook import ExcepthookIntegration
    from sentry_sdk.integrations.logging import LoggingIntegration
    from sentry_sdk.integrations.threading import ThreadingIntegration

    from .logs import hide_secrets

    hide_secrets(settings)
    sentry_sdk.init(
        dsn=settings.sentry_dsn.reveal(),
        transport=transport,
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[
            LoggingIntegration(level=None, event_level=logging.ERROR),
            ThreadingIntegration(propagate_scope=False),
            AtexitIntegration(callback=lambda *_: None),
            ExcepthookIntegration(),
            DedupeIntegration(),
        ],
        before_send=sentry_filter.event,
        before_send_transaction=sentry_filter.event,
        before_breadcrumb=sentry_filter.breadcrumb,
        before_send_log=lambda *_: None,
        before_send_metric=lambda *_: None,
        include_local_variables=False,
        include_source_context=False,
        max_request_body_size="never",
        auto_session_tracking=False,
        traces_sample_rate=None,
        profiles_sample_rate=None,
        propagate_traces=False,
        trace_propagation_targets=[],
        max_value_length=2000,
    )
    _on = True


def capture(
    kind: str, operation: str, job_id: str, attempt: int, account: str, error: BaseException | None = None
) -> None:
    """Report what came of an attempt; ``kind`` is a word such as an outcome. Does nothing without a DSN."""
    if not _on:
        return
    import sentry_sdk

    tags = {"kind": kind, "operation": operation, "job": job_id, "attempt": str(attempt), "account": account}
    tags |= {name: str(getattr(error, name) or "") for name in FACTS if hasattr(error, name)}
    with sentry_sdk.new_scope() as scope:
        for name, value in tags.items():
            scope.set_tag(name, value)
        scope.fingerprint = ["interakt", kind, account, tags.get("scope", ""), tags.get("status", "")]
        if error is not None:
            scope.capture_exception(error)
        else:
            scope.capture_message(f"{sentry_filter.OWN}{kind}: {operation or account}", level="error")
