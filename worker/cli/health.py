"""``python -m worker health``."""

from __future__ import annotations

import socket
import sys
from typing import Any

import click

from interakt_jobs.errors import JobError
from worker.cli.common import ago, json_option, link, say, show_json
from worker.ledger import status


def verdict(workers: list[dict[str, Any]], host: str, queue: str, stale_ms: int) -> tuple[bool, str]:
    """Whether this host's workers live, and the sentence that says so."""
    ours = [
        each
        for each in workers
        if each.get("host") == host and (not queue or queue in each.get("queues", ()))
    ]
    what = f"worker of {queue} on {host}" if queue else f"worker on {host}"
    if not ours:
        return False, f"no {what} has been heard of in the last ten minutes"
    newest = min(ours, key=lambda each: each["age_ms"])
    if newest["age_ms"] > stale_ms:
        return False, f"the {what} was last heard of {ago(newest['age_ms'])} ago"
    stuck = newest.get("loop_ms", 0)
    if stuck > stale_ms:
        return False, f"the {what} beats, but its consumer has been stuck for {ago(stuck)}"
    return True, f"the {what} lives (pid {newest['pid']}, heard of {ago(newest['age_ms'])} ago)"


@click.command()
@click.option("--host", default=socket.gethostname, show_default="this host", help="The host to look for.")
@click.option("--queue", default="", help="Only a worker that serves this queue, such as bulk.")
@click.option("--stale", default=60.0, show_default=True, help="Seconds of silence that are too many.")
@json_option
def command(host: str, queue: str, stale: float, as_json: bool) -> None:
    """Is this host's worker alive? Exit code 0 if so, 1 if not: for container probes.

    With Redis away nothing can be said, and restarting the worker would not help: that is exit code 0, with a
    remark; so is a Redis that has lost its data.

    Example: python -m worker health --queue bulk
    """
    redis = link()
    try:
        alive, text = verdict(status.workers(redis), host, queue, int(stale * 1000))
        if lost := status.losses(redis):
            text += f"; REDIS HAS LOST DATA: python -m worker account confirm-loss {' '.join(lost)}"
    except JobError as error:
        alive, text = True, f"cannot tell: {error}"
    if as_json:
        show_json({"alive": alive, "text": text})
    else:
        say(text, err=not alive)
    sys.exit(0 if alive else 1)
