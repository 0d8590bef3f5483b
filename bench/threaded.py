"""The job as a careful user writes it for threads or forks: one schema, one session for each process."""

from __future__ import annotations

from functools import cache
from typing import Any

import requests
from requests.adapters import HTTPAdapter

import schemas
from bench import call


@cache
def session() -> requests.Session:
    """Made at the first job, so after a fork. ``trust_env`` off: no look at .netrc with each call."""
    made = requests.Session()
    made.trust_env = False
    made.headers.update(call.headers())
    made.mount("http://", HTTPAdapter(pool_maxsize=256))
    return made


def perform(payload: dict[str, Any]) -> str:
    """Check, send, give the id."""
    schemas.check("send_list", payload)
    answer = session().post(call.url(), json=payload, timeout=20)
    return call.kept(answer.status_code, answer.json())
