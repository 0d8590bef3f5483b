"""The worker's Celery app: ``python -m worker run``, or ``python -m celery -A worker.app worker``.

``tasks`` declares what can be asked for; this module adds the wake-up, the message filter, and what a worker
runs beside Celery.
"""

from __future__ import annotations

from typing import Any

from celery import signals

import tasks  # noqa: F401  declares the tasks on the app
from config import settings
from tasks.app import app

from . import process, startup
from .checks.settings import try_settings
from .dispatch import message_filter
from .shutdown import stop, watch_signals

__all__ = ["app"]
REFUSED_POOLS = ("gevent", "eventlet")
app.amqp_cls = "worker.dispatch.broker:AMQP"


@app.task(name="interakt.wake", bind=True, ignore_result=True, acks_late=False)
def wake(self: Any, version: int, account: str, job_keys: list[str]) -> None:
    """These jobs of this account are yours to claim: the only message we publish. Never raises for a job's sake."""
    process.deliver(version, account, job_keys, self.request.delivery_info["routing_key"])


@app.task(name="interakt.tick", ignore_result=True, acks_late=False)
def tick(name: str) -> None:
    """Beat says that a schedule is due: make the job of its slot. Repeating it is harmless, a lost one comes again."""
    process.tick(name)


message_filter.tasks.update(name for name in app.tasks if name.startswith("interakt."))


@signals.celeryd_init.connect
def check_start(conf: Any = None, options: dict[str, Any] | None = None, **_: Any) -> None:
    """Tell every mistake of the settings together, before Celery stumbles over one of them.

    gevent and eventlet pools do not bound a call's time the way threads do; producers may use them.
    """
    try:
        if mistakes := try_settings(settings.current()):
            raise settings.SettingsError(mistakes)
    except settings.SettingsError as error:
        raise SystemExit(f"the worker cannot start, {error}") from None
    _refuse_unknown_queues((options or {}).get("queues"))
    pool = str((options or {}).get("pool") or conf.worker_pool)
    found = next((name for name in REFUSED_POOLS if name in pool), "")
    if found:
        raise SystemExit(
            f"--pool {found} is not supported for workers: use --pool threads and more processes"
        )


def _refuse_unknown_queues(asked: Any) -> None:
    names = asked.split(",") if isinstance(asked, str) else list(asked or ())
    known = [queue.name for queue in app.conf.task_queues]
    if unknown := [name for name in map(str.strip, names) if name not in known]:
        raise SystemExit(
            f"the worker cannot start, -Q: unknown {', '.join(unknown)}; known: {', '.join(known)}"
        )


@signals.worker_init.connect
def prepare(sender: Any = None, **_: Any) -> None:
    try:
        startup.prepare(sender)
    except Exception as error:
        raise SystemExit(f"the worker cannot start: {type(error).__name__}: {error}") from error


@signals.worker_ready.connect
def begin(sender: Any = None, **_: Any) -> None:
    watch_signals()
    try:
        startup.begin(sender)
    except Exception as error:
        # Celery only logs what a signal's receiver raises; a worker without its dispatcher must not look alive.
        raise SystemExit(f"the worker cannot start: {type(error).__name__}: {error}") from error


@signals.worker_shutting_down.connect
def wind_down(**_: Any) -> None:
    stop()


@signals.worker_shutdown.connect
def end(**_: Any) -> None:
    process.leave()
