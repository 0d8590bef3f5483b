"""``python -m worker health``."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable
from typing import Any

import click

from interakt_jobs.errors import JobError
from interakt_jobs.ledger.keys import WORKERS
from worker.cli.common import ago, json_option, link, say, show_json
from worker.ledger import standstill, status

AGAIN_SECONDS = 3.0


def verdict(
    workers: list[dict[str, Any]],
    host: str,
    queue: str,
    stale_ms: int,
    standing: Callable[[str], list[str]] = lambda account: [],
) -> tuple[bool, str]:
    """Whether this host's workers live, and the sentence that says so; ``standing`` gives an account's lanes that stand."""
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
    for each in (each for each in ours if each["age_ms"] <= stale_ms):
        if wrong := _wrong(each, stale_ms, standing):
            return False, f"the {what} beats (pid {each['pid']}), but {wrong}"
    return True, f"the {what} lives (pid {newest['pid']}, heard of {ago(newest['age_ms'])} ago)"


def _wrong(worker: dict[str, Any], stale_ms: int, standing: Callable[[str], list[str]]) -> str:
    parts = {"consumer": worker.get("loop_ms", 0), **worker.get("still_ms", {})}
    for name, still in parts.items():
        if still > stale_ms:
            return f"its {name} has been stuck for {ago(still)}"
    for account in worker.get("accounts", ()) if worker.get("up_ms", 0) > stale_ms else ():
        if lanes := [lane for lane in standing(account) if lane in worker["queues"]]:
            return f"{' and '.join(lanes)} of {account} stands still: jobs are due and none is sent"
    return ""


@click.command()
@click.option("--host", default=socket.gethostname, show_default="this host", help="The host to look for.")
@click.option("--queue", default="", help="Only a worker that serves this queue, such as bulk.")
@click.option("--stale", default=60.0, show_default=True, help="Seconds of silence that are too many.")
@json_option
def command(host: str, queue: str, stale: float, as_json: bool) -> None:
    """Is this host's worker alive, and does its work move? Exit code 0 if so, 1 if not: for container probes.

    It fails when the worker is silent, when a thread of it has ended, or when a lane that it serves stands still although
    jobs are due. With Redis away nothing can be said, and restarting the worker would not help: that is exit code 0, with a
    remark; so is a Redis that has lost its data.

    Example: python -m worker health --queue bulk
    """
    redis = link()
    try:
        redis.command(
            "DEL", f"{WORKERS}:nothing"
        )  # where nothing can be written, nobody can say that they live

        def standing(account: str) -> list[str]:
            lanes = standstill.standing(redis, account, int(stale * 1000))
            if not lanes:
                return []
            time.sleep(AGAIN_SECONDS)  # it may just have begun to move
            return [lane for lane in standstill.standing(redis, account, int(stale * 1000)) if lane in lanes]

        alive, text = verdict(status.workers(redis), host, queue, int(stale * 1000), standing)
        if lost := status.losses(redis):
            text += f"; REDIS HAS LOST DATA: python -m worker account confirm-loss {' '.join(lost)}"
    except JobError as error:
        alive, text = True, f"cannot tell: {error}"
    if as_json:
        show_json({"alive": alive, "text": text})
    else:
        say(text, err=not alive)
    sys.exit(0 if alive else 1)
