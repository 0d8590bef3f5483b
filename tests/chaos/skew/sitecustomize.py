"""Put in front of a worker's path: its wall clock is wrong by ``CHAOS_SKEW_SECONDS``."""

import os
import time

_offset = float(os.environ.get("CHAOS_SKEW_SECONDS", "0"))
_time, _time_ns = time.time, time.time_ns


def _skewed() -> float:
    return _time() + _offset


def _skewed_ns() -> int:
    return _time_ns() + int(_offset * 1e9)


time.time, time.time_ns = _skewed, _skewed_ns
