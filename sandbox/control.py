"""Starts and drives a sandbox from Python: tests, benchmarks, demos. Needs the standard library only.

with Sandbox(calls_per_minute=600, relaxed=True) as sandbox:
    ...                                  # calls to sandbox.base_url with sandbox.key
    sandbox.faults(share_500=0.1)
    assert sandbox.summary()["accepted_more_than_once"] == []
"""

from __future__ import annotations

import base64
import json
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, cast

from sandbox.accounts import label_of

Json = dict[str, Any]


class Arrival(NamedTuple):
    """One call; ``arrived`` in epoch seconds, ``status`` None when nothing was answered."""

    arrived: float
    operation: str
    account: str
    status: int | None
    accepted: bool
    job: str | None


class ControlError(Exception):
    """The sandbox refused a control call; the text says why."""


class Sandbox:
    """One sandbox process. Options are those of the command line: ``calls_per_minute=600, relaxed=True``.

    Used as a context manager it is stopped at the end; ``Sandbox.at(url)`` drives one that runs already.
    """

    key = base64.b64encode(b"sandbox-token:").decode()

    def __init__(self, port: int = 0, **options: Any) -> None:
        self.port, self.options = port, options
        self.url = ""
        self.process: subprocess.Popen[str] | None = None
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115

    @classmethod
    def at(cls, url: str) -> Sandbox:
        """A sandbox that runs already."""
        made = cls()
        made.url = url.rstrip("/")
        return made

    @property
    def errors(self) -> str:
        """What the process wrote to its error output; empty when all is well."""
        self._errors.seek(0)
        return self._errors.read().strip()

    @property
    def base_url(self) -> str:
        """What ``INTERAKT_BASE_URL`` must be."""
        return f"{self.url}/v1/public/"

    @staticmethod
    def key_for(token: str) -> str:
        """A key of its own for each token: each key is an account."""
        return base64.b64encode(f"{token}:".encode()).decode()

    def account(self, key: str | None = None) -> str:
        """The label under which a key's calls are recorded."""
        return label_of(key or self.key)

    def start(self, timeout: float = 60.0) -> Sandbox:
        """Start the process and wait for its URL; raises ``RuntimeError`` with its words when it ends."""
        command = [sys.executable, "-m", "sandbox", "--port", str(self.port)]
        for name, value in self.options.items():
            flag = "--" + name.replace("_", "-")
            for one in value if isinstance(value, list | tuple) else [value]:
                command += [flag] if one is True else [] if one is False else [flag, str(one)]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            cwd=Path(__file__).resolve().parent.parent,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        if not self.url:
            self.process.wait(timeout)
            raise RuntimeError(f"the sandbox did not start: {self.errors}")
        self.port = int(self.url.rpartition(":")[2])
        return self

    def stop(self, timeout: float = 60.0) -> int | None:
        """End it with SIGTERM and give its exit status; SIGKILL after ``timeout`` seconds."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        return self.process.returncode

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def calls(self, since: int = 0, limit: int | None = None, bodies: bool = False) -> list[Json]:
        """The recorded calls after number ``since``, all pages of them unless ``limit`` is given."""
        found: list[Json] = []
        while limit is None or len(found) < limit:
            size = 10_000 if limit is None else min(10_000, limit - len(found))
            page = self._json("GET", f"calls?since={since}&limit={size}&bodies={int(bodies)}")
            if not page["calls"]:
                break
            found += page["calls"]
            since = page["next"]
        return found

    def summary(self) -> Json:
        """Counts, jobs accepted more than once, most calls in a window, most simultaneous requests."""
        return self._json("GET", "summary")

    def jobs(self) -> dict[str, tuple[int, int]]:
        """For each job id how often it was accepted, and how many calls it made."""
        rows = (line.split("\t") for line in self._text("jobs").splitlines())
        return {job: (int(accepted), int(calls)) for job, accepted, calls in rows}

    def arrivals(self) -> list[Arrival]:
        """Every recorded call in the compact form."""
        rows = (line.split("\t") for line in self._text("arrivals").split("\n") if line)
        return [
            Arrival(
                float(at), operation, account, int(status) if status else None, accepted == "1", job or None
            )
            for at, operation, account, status, accepted, job in rows
        ]

    def wait_for(self, condition: Callable[[Json], object], timeout: float = 60.0) -> Json:
        """The first summary of which ``condition`` is true; raises ``TimeoutError``."""
        end = time.monotonic() + timeout
        while True:
            summary = self.summary()
            if condition(summary):
                return summary
            if time.monotonic() > end:
                raise TimeoutError(f"not within {timeout} s: {summary}")
            time.sleep(0.02)

    def faults(self, *rules: Json, **rule: Any) -> Json:
        """Set the faults: one rule by keywords, or several as dicts; without any, clear them."""
        if not rules and not rule:
            return self._json("DELETE", "faults")
        return self._json("POST", "faults", list(rules) + ([rule] if rule else []))

    def settings(self, **changes: Any) -> Json:
        """Change settings while running; without changes, read them."""
        return self._json("POST", "settings", changes) if changes else self._json("GET", "settings")

    def templates(self, **template: Any) -> Json:
        """Add a template, or change one's ``status``; ``account`` is a label, by default this key's."""
        return self._json("POST", "templates", {"account": self.account(), **template})

    def webhooks(self, **options: Any) -> Json:
        """Set where and how webhooks are sent; without options, read the counters."""
        return self._json("POST", "webhooks", options) if options else self._json("GET", "webhooks")

    def webhook(self, payload: Json | None = None, account: str = "") -> Json:
        """Send one webhook, signed: any ``payload``, or what the dashboard's test button sends."""
        return self._json("POST", "webhooks/test", {"payload": payload, "account": account})

    def inbound(self, **message: Any) -> Json:
        """A person writes to the business: ``phone`` and ``text`` (or another kind of content)."""
        return self._json("POST", "inbound", {"account": self.account(), **message})

    def reset(self) -> Json:
        """Forget calls, accounts, faults and webhooks; settings stay."""
        return self._json("POST", "reset")

    def _json(self, method: str, path: str, body: Any = None) -> Json:
        return cast(Json, json.loads(self._request(method, path, body)))

    def _text(self, path: str) -> str:
        return self._request("GET", path).decode()

    def _request(self, method: str, path: str, body: Any = None) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_sandbox/{path}", data, method=method)  # noqa: S310
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as answer:
                return cast(bytes, answer.read())
        except urllib.error.HTTPError as error:
            raise ControlError(error.read().decode("utf-8", "replace")) from None
