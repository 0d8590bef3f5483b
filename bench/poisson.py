"""Calls ``.delay()`` in the urgent lane at random, as people ask for a code; prints each id with the time of its call.

python -m bench.poisson REDIS_URL PER_SECOND SECONDS
"""

from __future__ import annotations

import json
import random
import sys
import time

from bench.call import payload
from interakt_jobs import configure, send_list


def main(url: str, per_second: float, seconds: float) -> dict[str, float]:
    """Epoch seconds of each call by its job's id; the gaps between calls are exponential, so calls may crowd."""
    configure(url)
    send_list.check(payload())
    called: dict[str, float] = {}
    due = time.time()
    end = due + seconds
    while (due := due + random.expovariate(per_second)) < end:
        time.sleep(max(0.0, due - time.time()))
        moment = time.time()
        called[send_list.delay(payload(), lane="urgent").id] = moment
    return called


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]))))
