"""One clock for the whole process: seconds since the epoch that never step back."""

from __future__ import annotations

import time
from datetime import UTC, datetime

_OFFSET = time.time() - time.monotonic()


def now() -> float:
    """Seconds since the epoch, as the machine's clock said at start plus the time passed since."""
    return _OFFSET + time.monotonic()


def naive_utc(moment: float) -> str:
    """ISO 8601 in UTC without a zone, to the microsecond, as Interakt's webhooks write it (interakt-api 6)."""
    return datetime.fromtimestamp(moment, UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


def zulu(moment: float) -> str:
    """ISO 8601 in UTC with milliseconds and ``Z``, as the filters of "Get Users" write it (document 6.1)."""
    return datetime.fromtimestamp(moment, UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
