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

__all__ = ["app"]
REFUSED_POOLS = ("gevent", "eventlet")
app.amqp_cls = "worker.dispatch.broker:AMQP"


@app.task(name="interakt.wake", bind=True, ignore_result=True, acks_late=False)
def wake(self: Any, version: int, account: str, job_keys: list[str]) -> None:
    """A wake-up: these jobs of this account can be claimed. Never raises because of a job."""
    process.deliver(version, account, job_keys, self.request.delivery_info["routing_key"])


@app.task(name="interakt.tick", ignore_result=True, acks_late=False)
def tick(name: str) -> None:
    """A schedule is due: make the job of its slot. A repeat is harmless, and a lost message comes again."""
    process.tick(name)


message_filter.tasks.update(name for name in app.tasks if name.startswith("interakt."))


@signals.celeryd_init.connect
def check_start(conf: Any = None, options: dict[str, Any] | None = None, **_: Any) -> None:
    """Report all mistakes in the settings together, before Celery fails at the first, and refuse unknown queues and pools.

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


signals.worker_init.connect(startup.prepare)
signals.worker_ready.connect(startup.begin)
signals.worker_shutting_down.connect(startup.stop_all)
signals.worker_shutdown.connect(startup.end)
