"""A real server brought into a state in which it answers with an error, and out of it again."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import redis

from sandbox.valkey import Valkey, free_port
from tests.waiting import until


def admin(server: Valkey) -> redis.Redis:
    return redis.Redis.from_url(server.url, socket_timeout=10, single_connection_client=True)


@contextlib.contextmanager
def _configured(server: Valkey, name: str, value: str) -> Iterator[None]:
    with admin(server) as client:
        before = client.config_get(name)[name]
        client.config_set(name, value)
        try:
            yield
        finally:
            client.config_set(name, before)


@contextlib.contextmanager
def demoted(server: Valkey) -> Iterator[None]:
    """READONLY: a failover made it the replica of another."""
    with admin(server) as client:
        client.execute_command("REPLICAOF", "127.0.0.1", free_port())
        try:
            yield
        finally:
            client.execute_command("REPLICAOF", "NO", "ONE")


@contextlib.contextmanager
def without_primary(server: Valkey) -> Iterator[None]:
    """MASTERDOWN: a replica that does not answer without its primary."""
    with _configured(server, "replica-serve-stale-data", "no"), demoted(server):
        yield


def without_replicas(server: Valkey) -> AbstractContextManager[None]:
    """NOREPLICAS: it wants a replica before it writes."""
    return _configured(server, "min-replicas-to-write", "1")


@contextlib.contextmanager
def without_disk(server: Valkey) -> Iterator[None]:
    """MISCONF: its last save failed."""
    there = Path(server.directory) / "dump.rdb"
    with admin(server) as client, _configured(server, "save", "3600 100000"):
        there.unlink(missing_ok=True)
        there.mkdir()
        _save(client, "err")
        try:
            yield
        finally:
            there.rmdir()
            _save(client, "ok")


def _save(client: redis.Redis, end: str) -> None:
    def saved() -> bool:
        with contextlib.suppress(redis.ResponseError):  # another fork is under way
            client.bgsave()
        return bool(client.info("persistence")["rdb_last_bgsave_status"] == end)

    until(saved)


@contextlib.contextmanager
def busy(server: Valkey) -> Iterator[None]:
    """BUSY: somebody's script does not end."""
    with _configured(server, "busy-reply-threshold", "20"), admin(server) as slow, admin(server) as client:
        script = "while true do end"
        thread = threading.Thread(target=lambda: _ignored(slow.eval, script, 0))
        thread.start()
        until(lambda: _answers_busy(client))
        try:
            yield
        finally:
            client.script_kill()
            thread.join(30)


def _ignored(call: Callable[..., object], *arguments: object) -> None:
    with contextlib.suppress(redis.RedisError):
        call(*arguments)


def _answers_busy(client: redis.Redis) -> bool:
    try:
        client.ping()
    except redis.ResponseError as error:
        return str(error).startswith("BUSY")
    except redis.TimeoutError:
        return False
    return False


def full(server: Valkey) -> AbstractContextManager[None]:
    """OOM: more memory is used than it may have."""
    return _configured(server, "maxmemory", "100000")


class Switch:
    """A port in front of one server, then of another: what a service name is in a failover."""

    def __init__(self, port: int) -> None:
        self.target = port
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._socket.getsockname()[1]}/0"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._socket.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self.target), 5)
                except OSError:
                    near.close()
                    continue
                far.settimeout(None)
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=_copy, args=pair, daemon=True).start()

    def close(self) -> None:
        self._socket.close()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for each in (source, target):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


TROUBLES: dict[str, Callable[[Valkey], AbstractContextManager[None]]] = {
    "READONLY": demoted,
    "MASTERDOWN": without_primary,
    "NOREPLICAS": without_replicas,
    "MISCONF": without_disk,
    "BUSY": busy,
}
