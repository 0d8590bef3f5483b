"""This project as an application uses it for one job at a time: ``delay``."""

from __future__ import annotations

import os
from typing import Any

from interakt_jobs import configure, send_list

configure(os.environ["REDIS_URL"], allow_unregistered=True)


def enqueue(payload: dict[str, Any]) -> str:
    return str(send_list.delay(payload).id)
