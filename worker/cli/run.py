"""``python -m worker run``."""

from __future__ import annotations

import sys

import click

POOLS = ("threads", "prefork", "solo")


@click.command()
@click.option(
    "-Q",
    "--queues",
    default="urgent,normal,intake",
    show_default=True,
    help="Lanes to serve, and intake; bulk wants a process of its own.",
)
@click.option(
    "-c",
    "--concurrency",
    type=click.IntRange(min=1),
    default=32,
    show_default=True,
    help="The most calls under way at once; fewer threads are used while fewer are of use.",
)
@click.option(
    "-n",
    "--hostname",
    default="worker@%h",
    show_default=True,
    metavar="NAME",
    help="What it is called in logs; %h is this host. Each process of a host needs its own.",
)
@click.option("-P", "--pool", type=click.Choice(POOLS), default="threads", show_default=True)
def command(queues: str, concurrency: int, hostname: str, pool: str) -> None:
    """Run a worker: it takes jobs and calls Interakt, until SIGTERM.

    It is Celery's worker, without the 9 MB of Celery's other commands. Celery's own command, with all its options, works
    as well: python -m celery -A worker.app worker --pool threads --without-gossip --without-mingle --without-heartbeat.

    Example: python -m worker run -Q bulk -c 96 -n bulk@%h
    """
    from celery.utils.nodenames import default_nodename, host_format

    from worker.app import app

    worker = app.Worker(
        hostname=host_format(default_nodename(hostname)),
        queues=queues,
        concurrency=concurrency,
        pool=pool,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    worker.start()
    sys.exit(worker.exitcode)
