"""One host application: its environment, its processes and its answers."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sandbox.valkey import free_port

from .environments import ROOT


class Host:
    """A copy of an example, beside which the wheel is installed; stopped at the end of a ``with``."""

    def __init__(self, name: str, python: Path, folder: Path, redis_url: str, broker_url: str) -> None:
        self.python, self.logs = python, folder
        self.folder = ROOT / "examples" / name
        self.port = free_port()
        database = folder / f"{name}.sqlite3"
        self.environment = {
            "PATH": f"{python.parent}:{os.environ['PATH']}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": str(folder),
            "INTERAKT_REDIS_URL": redis_url,
            "REDIS_URL": "redis://127.0.0.1:1/0",  # the host's own, which nobody may read
            "SHOP_BROKER_URL": broker_url,
            "SHOP_DATABASE": f"sqlite:///{database}" if name == "flask_shop" else str(database),
        }
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        """Start one of the host's processes, in its folder and its environment."""
        with (self.logs / f"{name}.log").open("wb") as log:
            started = subprocess.Popen(
                command, cwd=self.folder, env=self.environment, stdout=log, stderr=subprocess.STDOUT
            )
        self._processes[name] = started
        return started

    def celery(self, app: str, queue: str) -> subprocess.Popen[bytes]:
        """Start the host's own Celery worker."""
        words = (
            f"-m celery -A {app} worker -Q {queue} --pool solo --without-gossip --without-mingle -n own@%h"
        )
        return self.start("celery", str(self.python), *words.split())

    def run(self, code: str, *arguments: str, **environment: str) -> Any:
        """Run a script in the host's environment; the JSON of its last line."""
        done = subprocess.run(
            [str(self.python), "-c", code, *arguments],
            cwd=self.folder,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def ask(self, path: str, **form: object) -> tuple[int, Any]:
        """GET, or POST a form; the HTTP status and what was answered."""
        data = urllib.parse.urlencode(form).encode() if form else None
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")

    def until(self, true: Callable[[], Any], what: str, timeout: float = 120.0) -> Any:
        """The first true answer; raises ``TimeoutError`` with the processes' logs."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            try:
                if found := true():
                    return found
            except OSError:
                pass  # the server is not up yet
            ended = [name for name, process in self._processes.items() if process.poll() is not None]
            if ended:
                break
            time.sleep(0.05)
        raise TimeoutError(f"no {what}:\n{self.words()}")

    def words(self) -> str:
        """The ends of the processes' logs."""
        logs = [self.logs / f"{name}.log" for name in self._processes]
        return "\n".join(f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}" for log in logs)

    def stop(self, name: str) -> None:
        """SIGTERM to one process, and its end."""
        process = self._processes.pop(name)
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *exc: object) -> None:
        for name in list(self._processes):
            self.stop(name)
