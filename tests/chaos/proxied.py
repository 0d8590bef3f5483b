"""Starts and commands the proxy of ``proxy.py``."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from typing import Any, cast

from tests.chaos.processes import ROOT


class ProxyProcess:
    """A proxy in front of the Redis on ``upstream``; ``url`` is what clients are given."""

    def __init__(self, upstream: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.proxy", str(upstream)],
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        self.port, control = map(int, self.process.stdout.readline().split())
        self._control = socket.create_connection(("127.0.0.1", control), 5)
        self._file = self._control.makefile("rw")

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def tell(self, **order: Any) -> dict[str, Any]:
        """Give one order (proxy.py has them) and return the counts."""
        self._file.write(json.dumps(order) + "\n")
        self._file.flush()
        return cast(dict[str, Any], json.loads(self._file.readline()))

    def drop(self, sha: str, times: int = 1, *, before: bool = False) -> None:
        """Lose the answers of a script's next ``times`` runs, or with ``before`` the calls themselves."""
        self.tell(drop=sha, times=times, before=before)

    def dropped(self, sha: str) -> int:
        return int(self.tell()["dropped"].get(sha, 0))

    def calm(self) -> None:
        """Let everything pass again."""
        self.tell(stall=False, refuse=False)

    def stop(self) -> None:
        self._file.close()
        self._control.close()
        self.process.terminate()
        self.process.wait(5)
        if self.process.stdout is not None:
            self.process.stdout.close()
