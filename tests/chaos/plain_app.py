"""A send on plain Celery with every safe setting on: what most applications would build."""

from __future__ import annotations

import os

import requests
from celery import Celery

app = Celery("plain", broker=os.environ["PLAIN_REDIS_URL"], set_as_current=False)
app.conf.update(
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    task_default_queue="plain",
    accept_content=["json"],
    task_serializer="json",
    broker_connection_retry_on_startup=True,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_hijack_root_logger=False,
    broker_transport_options={
        "visibility_timeout": 4,
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
        "unacked_mutex_expire": 5,
        "socket_timeout": 10,
        "socket_connect_timeout": 3,
        "health_check_interval": 10,
    },
)
_session = requests.Session()
_session.trust_env = False


@app.task(  # type: ignore[untyped-decorator]
    name="plain.send",
    autoretry_for=(requests.RequestException,) if os.environ.get("PLAIN_RETRIES") else (),
    retry_backoff=1,
    max_retries=5,
)
def send(identity: str) -> None:
    """Post one message; with ``PLAIN_RETRIES`` again when it fails, as the manuals of both libraries show it."""
    payload = {
        "countryCode": "+91",
        "phoneNumber": "9999999999",
        "type": "Text",
        "data": {"message": "message"},
        "callbackData": identity,
    }
    answer = _session.post(
        os.environ["PLAIN_BASE_URL"] + "message/",
        json=payload,
        headers={"Authorization": "Basic " + os.environ["PLAIN_API_KEY"]},
        timeout=5,
    )
    answer.raise_for_status()
