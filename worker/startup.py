"""A worker's start and end, as Celery's signals announce them: the heartbeat, the dispatcher and the webhooks' listener."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import schemas
from config.settings import current
from interakt_jobs.errors import JobError

from .chores import chores_of
from .dispatch.dispatcher import Dispatcher
from .dispatch.publisher import Publisher
from .dispatch.witness import Witness
from .process import Process, leave, process
from .shutdown import stop, stopping, watch_signals
from .telemetry import logs, sentry
from .threads import PAUSE_SECONDS, log_waiting
from .webhooks import handler as webhook_handler

log = logging.getLogger(__name__)
LOOK_SECONDS = 2.0


def _or_exit(handler: Callable[[Any], None]) -> Callable[..., None]:
    """A receiver of a signal that ends the worker when it fails.

    Celery only logs what a signal's receiver raises; a worker without its dispatcher must not look alive.
    """

    def receiver(sender: Any = None, **_: Any) -> None:
        try:
            handler(sender)
        except Exception as error:
            raise SystemExit(f"the worker cannot start: {type(error).__name__}: {error}") from error

    return receiver


@_or_exit
def prepare(worker: Any) -> None:
    """Before the pool starts: read the settings, so that all mistakes in them are reported at once."""
    settings = current()
    if settings.poison_guard:
        worker.app.conf.broker_transport = "worker.dispatch.message_filter:Transport"
    logs.start(settings)
    sentry.start(settings)
    process()


@_or_exit
def begin(consumer: Any) -> None:
    """The worker is ready: register, beat, dispatch, listen. Celery's ``consumer`` has the loop that is watched."""
    watch_signals()
    here, worker = process(), consumer.controller
    heartbeat, ledgers = here.heartbeat, list(here.ledgers.values())
    heartbeat.queues = [queue.name for queue in worker.app.amqp.queues.consume_from.values()]
    heartbeat.tuner.slots = here.shares.slots = int(worker.concurrency or 1)
    here.shares.urgent = "urgent" in heartbeat.queues
    if "prefork" in str(worker.pool_cls):
        heartbeat.tuner.fixed = heartbeat.tuner.slots
    heartbeat.accounts = sorted(here.ledgers)
    _register(here)
    heartbeat.on_beat = Witness(ledgers).look
    heartbeat.start()
    publisher = Publisher(here.link, worker.app.conf.broker_transport_options["global_keyprefix"])
    chore_seconds = min(1.0, here.settings.lease_seconds / 4)
    dispatcher = Dispatcher(here.link, ledgers, publisher.wake, chores_of(here, publisher), chore_seconds)
    listener = webhook_handler.thread(here.link, here.ledgers, here.settings)
    heartbeat.watch.start(dispatcher.thread(), listener)
    consumer.timer.call_repeatedly(LOOK_SECONDS, heartbeat.consumed)
    threading.Thread(target=_warm, name="warm", daemon=True).start()
    extra = {"action": "worker_ready", "queues": heartbeat.queues, "accounts": heartbeat.accounts}
    log.info("worker ready", extra=extra)


def _register(here: Process) -> None:
    while not stopping():
        try:
            here.register()
            break
        except JobError as error:
            log_waiting("the start", error)
            time.sleep(PAUSE_SECONDS)


def _warm() -> None:
    """Check a payload: the first check of a process imports for a tenth of a second, which no job has to wait for."""
    payload = {"phoneNumber": "9999999999", "countryCode": "+91", "type": "Text", "data": {"message": "warm"}}
    schemas.check("send_text", payload)


def stop_all(**_: Any) -> None:
    """The worker was asked to stop: nothing new begins."""
    stop()


def end(**_: Any) -> None:
    """The worker has ended: give up the dispatcher's lease and the entry among the workers."""
    leave()
