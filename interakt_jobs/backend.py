"""A read-only Celery result backend over the ledger: nothing is stored twice."""

from __future__ import annotations

from functools import cache
from typing import Any

from celery import Celery
from celery.backends.base import Backend

from . import settings
from .ledger.keys import parse
from .options import Options, reject_unsupported
from .result import celery_state, outcome


class LedgerBackend(Backend):  # type: ignore[misc]
    """Reads states and results from the ledger; what Celery would store is left out. The workers' app has it too."""

    supports_autoexpire = True
    persistent = True

    def get_task_meta(self, task_id: str, cache: bool = True) -> dict[str, Any]:
        """Celery's result dict for a job id; raises ``NoSuchJob``."""
        account, job_key = parse(task_id)
        reading = settings.ledger(account).read(job_key)
        return {
            "task_id": task_id,
            "status": celery_state(reading),
            "result": outcome(task_id, reading),
            "traceback": None,
            "children": [],
        }

    def store_result(self, task_id: str, result: Any, state: str, *args: Any, **kwargs: Any) -> Any:
        return result

    def forget(self, task_id: str) -> None:
        account, job_key = parse(task_id)
        settings.ledger(account).forget(job_key)

    def remove_pending_result(self, result: Any) -> Any:
        """Celery calls this when a result has come; nothing was pending."""
        return result

    def add_pending_result(self, result: Any, *_: Any, **__: Any) -> Any:
        """Refuse ``then`` and ``ResultSet``, which call this."""
        raise TypeError(
            "then and ResultSet would wait for ever here: use job.get() for each, or on_done='app.task'"
        )

    def apply_chord(self, *args: Any, **kwargs: Any) -> Any:
        reject_unsupported({"chord": True}, Options)

    def cleanup(self) -> None:
        """Results expire by themselves."""


@cache
def results_app() -> Celery:
    """A private app that only serves results; it never becomes the host's current app."""
    backend = "interakt_jobs.backend:LedgerBackend"
    return Celery("interakt_jobs", backend=backend, set_as_current=False, autofinalize=False)
