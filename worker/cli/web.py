"""``python -m worker web``."""

from __future__ import annotations

import logging
import socket
import sys

import click

from config.settings import Settings, SettingsError, load
from worker.cli.common import say
from worker.telemetry import logs, sentry


@click.command()
@click.option("--host", help="The address to listen at; INTERAKT_WEB_HOST if not given.")
@click.option("--port", type=click.IntRange(0, 65_535), help="The port to listen at; PORT if not given.")
@click.option(
    "--trust-proxy",
    default="",
    metavar="ADDRESSES",
    help="Proxies whose X-Forwarded-For is believed, with commas; * for any. Only for the RCS address list.",
)
@click.option(
    "--public-metrics", is_flag=True, help="Show /metrics to requests that came through a proxy too."
)
def command(host: str | None, port: int | None, trust_proxy: str, public_metrics: bool) -> None:
    """Receive webhooks; serve /healthz, /readyz and /metrics.

    Interakt's webhook URL is https://YOUR-HOST/webhooks/interakt, or /webhooks/interakt/ACCOUNT for a further account.

    Example: python -m worker web --port 8000
    """
    try:
        settings = load(keys=False)
    except SettingsError as error:
        for line in str(error).splitlines():
            say(line, err=True)
        sys.exit(2)
    logs.start(settings)
    # Its lines repeat ours, and one a malformed request would let anybody fill the disk.
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    sentry.start(settings)
    place = host or settings.web_host, settings.port if port is None else port
    _serve(settings, place, trust_proxy, public_metrics)


def _serve(settings: Settings, place: tuple[str, int], trust_proxy: str, public_metrics: bool) -> None:
    import uvicorn

    from worker.web.app import App
    from worker.web.connections import bounded
    from worker.webhooks.options import web_settings

    try:
        found = web_settings(settings, public_metrics=public_metrics)
        app = App(found)
    except (OSError, RuntimeError) as error:
        say(f"The webhook spool cannot be used: {error}. Set INTERAKT_SPOOL_DIR to a folder.", err=True)
        sys.exit(2)
    try:
        family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
        listening = socket.create_server(place, family=family, backlog=2048)
    except OSError as error:
        say(
            f"It cannot listen at {place[0]}:{place[1]}: {error}. Change INTERAKT_WEB_HOST or PORT.", err=True
        )
        sys.exit(2)
    options = uvicorn.Config(
        app,
        loop="uvloop",
        http=bounded(app.refuse),
        ws="none",
        lifespan="on",
        access_log=False,  # the path of an RCS callback is a secret
        log_config=None,
        server_header=False,
        date_header=False,
        proxy_headers=bool(trust_proxy),
        forwarded_allow_ips=trust_proxy or "",
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
        backlog=2048,
    )
    server = uvicorn.Server(options)
    server.run(sockets=[listening])
    sys.exit(0 if server.started else 3)
