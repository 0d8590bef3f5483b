"""Job ids and Redis' keys. A job is ``ij1.<account>.<job_key>``; the job_key is a UUIDv7 as 32 hex digits, or a campaign's
``<id>.<round>.<index>``.

What stands in braces decides the slot of a key in a Redis Cluster. An account lies in one of 256 partitions, so all of its
keys are in one slot; what belongs to no account has slots of its own. No script and no pipeline touches two.
"""

from __future__ import annotations

import os
import re
import time
from zlib import crc32

from interakt_jobs.errors import InvalidJobId

_ID = re.compile(r"ij1\.([a-z0-9_]{1,32})\.([A-Za-z0-9_.\-]{1,80})\Z")
_ACCOUNT = re.compile(r"[a-z0-9_]{1,32}\Z")
DEFAULT_ACCOUNT = "default"
PARTITIONS = 256  # never to change: a key's slot follows from it
ACCOUNTS, KEYLESS = "{ij1:accounts}", "{ij1:accounts}:keyless"
WORKERS, NEWEST = "{ij1:workers}", "{ij1:workers}:newest"  # the time (ms) of the newest beat of a worker
POISON, AUDIT, LATER = "{ij1:poison}", "{ij1:audit}", "{ij1:intake}:later"
CELERY, BEAT = "{ij1:celery}:", "{ij1:beat}:"


def mint_job_key() -> str:
    """A new UUIDv7: milliseconds, 12 bits of the millisecond's fraction (RFC 9562, 6.2, method 3), then random ones.

    The fraction keeps what one process enqueues in order.
    """
    milliseconds, nanoseconds = divmod(time.time_ns(), 1_000_000)
    noise = int.from_bytes(os.urandom(8)) >> 2
    return f"{milliseconds:012x}{0x7000 | (nanoseconds << 12) // 1_000_000:04x}{1 << 63 | noise:016x}"


def job_id(account: str, job_key: str) -> str:
    return f"ij1.{account}.{job_key}"


def parse(text: str) -> tuple[str, str]:
    """``(account, job_key)`` of a job id; raises ``InvalidJobId``."""
    if not isinstance(text, str) or not (match := _ID.match(text)):
        raise InvalidJobId("a job id looks like ij1.<account>.<job_key>")
    return match[1], match[2]


def account_name(name: str) -> str:
    """The name when it is one: lower-case letters, digits and underscores, 1 to 32; raises ``ValueError``."""
    if not isinstance(name, str) or not _ACCOUNT.match(name):
        raise ValueError("an account's name is 1 to 32 lower-case letters, digits or underscores")
    return name


def task_job_key(task_id: str) -> str:
    """The job_key a caller's own Celery task id gives: the same id twice is the same job."""
    job_key = task_id.replace("-", "") if len(task_id) == 36 else task_id
    if task_id.startswith("ij1."):
        job_key = parse(task_id)[1]
    if not re.fullmatch(r"[A-Za-z0-9_.\-]{1,80}", job_key):
        raise ValueError("task_id may have 1 to 80 letters, digits, dots, dashes and underscores")
    if re.fullmatch(r"c[a-z0-9]{8,16}\.\d+\.\d+", job_key):
        raise ValueError("a task_id of this form is that of a campaign's message")
    return job_key


def own_key(job_key: str) -> str:
    """The idempotency key of a job whose id its caller chose: the same id with another payload is a conflict."""
    return f"\0{job_key}"


def prefix(account: str) -> str:
    """What the account's keys start with: ``{ij1:<partition>}:<account>:``."""
    return f"{{ij1:{crc32(account.encode()) % PARTITIONS}}}:{account}:"
