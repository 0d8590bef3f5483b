"""A worker and its beat speak to Redis over a unix socket, and over TLS that they verify."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import interakt_jobs
from interakt_jobs.ledger.redis_client import RedisClient
from sandbox.control import Sandbox
from sandbox.stack import ROOT
from sandbox.valkey import Valkey
from tests.tls import behind_tls
from tests.waiting import until
from worker.schedules.store import LOCK

TEXT = {"countryCode": "+91", "phoneNumber": "9999999999", "data": {"message": "Hello"}}
PROCESSES = {
    "worker": "celery -A worker.app worker -Q urgent,normal,intake --pool threads -c 2 -n one@%h",
    "beat": "celery -q -A worker.app beat --scheduler worker.beat.Scheduler --pidfile=",
}


@contextmanager
def deployment(
    url: str, folder: Path, worker: str = PROCESSES["worker"], **more: str
) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """A sandbox, a worker and a beat that find Redis at ``url``."""
    started: dict[str, subprocess.Popen[bytes]] = {}
    with Sandbox(calls_per_minute=0) as sandbox:
        environment = {
            "PATH": os.environ["PATH"],
            "REDIS_URL": url,
            "INTERAKT_API_KEY": sandbox.key,
            "INTERAKT_BASE_URL": sandbox.base_url,
            **more,
        }
        for name, words in {**PROCESSES, "worker": worker}.items():
            with (folder / f"{name}.log").open("wb") as log:
                command = [sys.executable, "-m", *words.split()]
                started[name] = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            yield started
        finally:
            for process in started.values():
                process.terminate()
            for process in started.values():
                process.wait(60)


def send(url: str) -> int:
    """Enqueue, whether the worker is up already or not, and wait for Interakt's answer."""
    interakt_jobs.configure(url, allow_unregistered=True)
    try:
        return int(interakt_jobs.send_text.delay(TEXT).get(timeout=60)["status"])  # type: ignore[arg-type]
    finally:
        interakt_jobs.configure(None)


def test_over_a_unix_socket(tmp_path: Path) -> None:
    socket = tmp_path / "s"
    with (
        Valkey(directory=str(tmp_path), unixsocket=str(socket)),
        deployment(f"redis+socket://{socket}", tmp_path) as processes,
    ):
        assert send(f"unix://{socket}") == 201
        assert [process.poll() for process in processes.values()] == [None, None], (
            tmp_path / "beat.log"
        ).read_text()


def test_a_user_with_the_documented_rights_is_enough(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    (rules,) = re.findall(r"ACL SETUSER interakt on >PASSWORD (.*)", page)
    with Valkey(directory=str(tmp_path)) as server:
        admin = RedisClient(server.url)
        admin.command("ACL", "SETUSER", "interakt", "on", ">pw", *rules.split())
        url = server.url.replace("//", "//interakt:pw@")
        with deployment(url, tmp_path, "worker run -Q urgent,normal,bulk,intake -c 2") as processes:
            assert send(url) == 201
            until(lambda: admin.command("EXISTS", LOCK))
            assert [process.poll() for process in processes.values()] == [None, None]
            refused = admin.command("INFO", "errorstats").decode()
            log = admin.command("ACL", "LOG")
    assert "NOPERM" not in refused, log


def test_over_tls_that_is_verified(
    tmp_path: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Valkey(directory=str(tmp_path)) as server, behind_tls(server.port, certificate) as port:
        # a password of this kind made kombu speak in clear, and this spelling is Celery's alone
        RedisClient(server.url).command("CONFIG", "SET", "requirepass", "my_ssl_pw")
        url = f"rediss://:my_ssl_pw@127.0.0.1:{port}/0?ssl_cert_reqs=CERT_REQUIRED"
        trusted = {"SSL_CERT_FILE": str(certificate)}
        with deployment(url, tmp_path, **trusted) as processes:
            monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
            assert send(url) == 201
            assert [process.poll() for process in processes.values()] == [None, None]
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(interakt_jobs.LedgerUnreachable):
            RedisClient(url).command("PING")
