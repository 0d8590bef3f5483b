"""The shop's own Celery: its task receives the end of each message."""

import os

from celery import Celery
from redis import Redis

BROKER = os.environ.get("SHOP_BROKER_URL", "redis://127.0.0.1:6379/1")
app = Celery("fastapi_shop", broker=BROKER)
app.conf.task_ignore_result = True
endings = Redis.from_url(BROKER, decode_responses=True)


@app.task(name="shop_celery.message_ended")
def message_ended(job_id: str, event: str, state: str, **more: object) -> None:
    """A message has ended, or its end was corrected: ``state`` is done, dead or cancelled. May be called twice."""
    endings.set(f"shop:ended:{job_id}", state, ex=86400)
