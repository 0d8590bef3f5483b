"""Logs: a JSON object a line (or text), with an ``action`` and ids; never payloads, keys or phone numbers."""

from __future__ import annotations

import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

from celery import signals

from config.settings import Settings

from .redaction import HIDDEN, know_secret, mask_quoted, scrub
from .shown import as_json, shown

OURS = ("worker", "config", "tasks", "schemas", "interakt_jobs")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "data"}
LARGEST_NUMBER = 999_999
MOST_TEXT = 20_000
# Numbers under these names count or time something; a long number under any other may be a phone.
_COUNTS = ("ms", "seconds", "bytes", "at", "count", "pid", "port")
log = logging.getLogger(__name__)


def describe(error: BaseException) -> str:
    """An exception as text for a log: other people's exceptions may quote a payload, so only ours speak."""
    name = type(error).__name__
    if type(error).__module__.partition(".")[0] in OURS:
        return scrub(f"{name}: {error}")[:500]
    return name


def where(error: BaseException, most: int = 8) -> list[str]:
    """The last frames, innermost last, without the source's text."""
    frames = traceback.extract_tb(error.__traceback__, limit=-most)
    return [
        f"{frame.filename.rpartition('site-packages/')[2]}:{frame.lineno} {frame.name}" for frame in frames
    ]


def message(record: logging.LogRecord) -> str:
    """The record's message, scrubbed; of loggers that are not ours, quoted values are hidden too."""
    try:
        text = record.getMessage()
    except (TypeError, ValueError, KeyError):
        text = str(record.msg)
    if record.name.partition(".")[0] not in OURS:
        text = mask_quoted(text.partition("\nTraceback ")[0])
    return scrub(text)[:2000]


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """What ``extra`` carried, scrubbed."""
    found = {
        name: value for name, value in vars(record).items() if name not in _STANDARD and value is not None
    }
    return {scrub(name): _safe(name, value) for name, value in found.items()}


def _safe(name: str, value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        counted = name.rpartition("_")[2] in _COUNTS
        return value if counted or abs(value) <= LARGEST_NUMBER else HIDDEN
    if isinstance(value, str):
        return scrub(value)[:1000]
    if isinstance(value, list | tuple | set | frozenset):
        return [_safe(name, item) for item in list(value)[:50]]
    return HIDDEN


class JsonFormatter(logging.Formatter):
    """``{"time", "level", "logger", "action", "message", ...}``; exceptions are ``error`` and ``where``."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {"time": time, "level": record.levelname.lower(), "logger": record.name}
        line |= {"action": "log"} | fields(record) | {"message": message(record)}
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            line |= {"error": describe(error), "where": where(error)}
        return as_json(line)


class TextFormatter(logging.Formatter):
    """The same for people: time, level, message, then the fields."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        rest = fields(record)
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            rest |= {"error": describe(error), "where": " < ".join(reversed(where(error)))}
        job_key = "".join(f" {name}={value}" for name, value in rest.items())
        return shown(f"{time} {record.levelname:<8} {message(record)}{job_key}", MOST_TEXT)


def start(settings: Settings) -> None:
    """Log to standard error in the chosen form, instead of Celery; tells what the settings warn of."""
    hide_secrets(settings)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if settings.log_format == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    for noisy in ("urllib3", "redis", "asyncio", "celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.raiseExceptions = False
    signals.setup_logging.connect(_already_set_up, weak=False, dispatch_uid="interakt-logs")
    for warning in settings.warnings:
        log.warning("%s", warning, extra={"action": "setting"})


def hide_secrets(settings: Settings) -> None:
    """Make every secret of the settings one that ``scrub`` knows."""
    secrets = [settings.sentry_dsn, settings.rcs_path_secret, settings.rcs_path_secret_old]
    for account in settings.accounts.values():
        secrets += [account.api_key, *account.webhook_secrets]
    for secret in secrets:
        if secret is not None:
            know_secret(secret.reveal())


def _already_set_up(**_: Any) -> None:
    """Having a receiver is what keeps Celery from adding handlers of its own."""
