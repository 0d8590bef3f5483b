"""Runs the sandbox until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

from sandbox.app import App
from sandbox.connection import Connection
from sandbox.settings import Settings

GRACE = 5.0


async def serve(settings: Settings, host: str, port: int) -> None:
    """Listen, print the URL on one line, and serve until SIGTERM or SIGINT; answers under way get 5 s."""
    loop = asyncio.get_running_loop()
    app, connections, stop = App(settings), set[Connection](), asyncio.Event()
    server = await loop.create_server(lambda: Connection(app, connections), host, port, backlog=4096)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    shown = f"[{host}]" if ":" in host else host
    print(f"http://{shown}:{server.sockets[0].getsockname()[1]}", flush=True)
    await stop.wait()
    server.close()
    for connection in list(connections):
        connection.shut()
    end = loop.time() + GRACE
    while connections and loop.time() < end:
        await asyncio.sleep(0.02)


def run(settings: Settings, host: str, port: int) -> None:
    """``serve`` on uvloop when it is installed, else on plain asyncio."""
    factory: Any = None
    try:
        import uvloop

        factory = uvloop.new_event_loop
    except ImportError:
        pass
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(serve(settings, host, port))
