"""A thin Redis client for the ledger: a held connection per caller, one EVALSHA a call.

A ``redis.Connection`` costs 15 to 34 us a call where ``redis.Redis`` costs 57 to 72. It may
be used from many threads, greenlets and forked processes: a connection is taken from a free list for each call.
Every script is safe to repeat, so a call whose answer was lost is sent once more.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from redis import VERSION
from redis.connection import ConnectionPool
from redis.exceptions import NoScriptError, ResponseError

from interakt_jobs.errors import LedgerDamaged, LedgerUnreachable, NotConfigured

from .redis_errors import FAILURES, job_error
from .redis_url import plain
from .scripts import Script

Argument = str | bytes | int | float
Answer = TypeVar("Answer")
# redis-py before 5.0 knows no other protocol, and no such option
_PROTOCOL = {"protocol": 2} if VERSION[0] >= 5 else {}


def milliseconds(clock: Sequence[bytes]) -> int:
    """What ``TIME`` answers, in milliseconds."""
    return int(clock[0]) * 1000 + int(clock[1]) // 1000


def pairs(flat: Sequence[Any]) -> dict[Any, Any]:
    """The names and values that Redis answers in turn."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


class RedisClient:
    """Calls to one Redis at ``url`` (``redis://``, ``rediss://`` or ``unix://``).

    ``timeout`` and ``connect_timeout`` are seconds for one try; a call makes at most two. No error of redis-py leaves
    it: every call raises ``LedgerUnreachable`` or one of its kinds, or ``LedgerFull``. ``damaged`` is set once a key
    was met that holds something else than the ledger put there.
    """

    damaged = False

    def __init__(self, url: str, *, timeout: float = 2.0, connect_timeout: float = 1.5) -> None:
        try:
            self.url = url = plain(url)
            over_tcp = {} if url.startswith("unix://") else {"socket_keepalive": True}
            # Only read for its options: a pool counts what it has made, broken ones too, and refuses after a hundred.
            self._pool = ConnectionPool.from_url(
                url,
                socket_timeout=timeout,
                socket_connect_timeout=connect_timeout,
                retry=None,
                health_check_interval=0,
                client_name="interakt-jobs",
                **_PROTOCOL,
                **over_tcp,
            )
            self._free: deque[Any] = deque([self._connection()], maxlen=256)
        except (ValueError, TypeError):
            raise NotConfigured(
                "the Redis URL cannot be used: write redis://host:6379/0, rediss://host:6379/0 or unix:///path, "
                "with no options but rediss' own, ssl_..."
            ) from None
        self._pid = os.getpid()

    def _connection(self) -> Any:
        return self._pool.connection_class(**self._pool.connection_kwargs)

    def _take(self) -> Any:
        if self._pid != os.getpid():
            self._free = deque(maxlen=256)
            self._pid = os.getpid()
        try:
            return self._free.pop()
        except IndexError:
            return self._connection()

    def close(self) -> None:
        """Close the idle connections."""
        with contextlib.suppress(IndexError):  # other threads take some meanwhile
            while True:
                self._free.pop().disconnect()

    def run(
        self,
        script: Script,
        keys: Sequence[str],
        *arguments: Argument,
        repeat: int | None = None,
        tries: int = 2,
    ) -> Any:
        """Run a script; ``repeat`` is the index of the argument set to ``1`` when a lost answer is asked for again."""
        command: list[Argument] = ["EVALSHA", script.sha, len(keys), *keys, *arguments]
        while True:
            try:
                return self._answer(self._send(command))
            except FAILURES as error:
                if isinstance(error, NoScriptError) and command[0] == "EVALSHA":
                    command[:2] = ["EVAL", script.text]
                    continue
                tries -= 1
                self._failed(error, tries)
                if repeat is not None:
                    command[3 + len(keys) + repeat] = "1"
                time.sleep(0.05)

    def _failed(self, error: BaseException, tries: int) -> None:
        """Prepare another try; raises our error when no try is left, or none would help."""
        ours = job_error(error)
        self.damaged = self.damaged or isinstance(ours, LedgerDamaged)
        passing = type(ours) is LedgerUnreachable
        if passing:
            self.close()  # a server that was restarted or demoted is behind the idle ones too
        if tries < 1 or not passing:
            raise ours from error

    def begin(self, script: Script, keys: Sequence[str], *arguments: Argument) -> Callable[[], Any]:
        """Send a call and return what waits for its answer, so that the caller can work meanwhile; see ``run``."""
        command: list[Argument] = ["EVALSHA", script.sha, len(keys), *keys, *arguments]

        def again() -> Any:
            self.close()
            return self.run(script, keys, *arguments, tries=1)

        try:
            connection = self._send(command)
        except FAILURES:
            return again

        def answer() -> Any:
            try:
                return self._answer(connection)
            except NoScriptError:
                return self.run(script, keys, *arguments)
            except FAILURES:
                return again()

        return answer

    def command(self, *command: Argument, timeout: float | None = None) -> Any:
        """Run one command that is harmless to repeat; ``timeout`` seconds is for commands that block."""
        return self._twice(lambda: self._answer(self._send(command), timeout))

    def now_ms(self) -> int:
        """The time of Redis."""
        return milliseconds(self.command("TIME"))

    def pipeline(self, commands: Sequence[Sequence[Argument]]) -> list[Any]:
        """Send commands that are harmless to repeat in one go; an error answer is raised."""

        def once() -> list[Any]:
            connection = self._take()
            try:
                connection.send_packed_command(connection.pack_commands(commands))
                answers = [connection.read_response() for _ in commands]
            except BaseException:
                connection.disconnect()
                raise
            self._free.append(connection)
            return answers

        return self._twice(once)

    def _twice(self, call: Callable[[], Answer]) -> Answer:
        """What ``call`` returns, called again after a failure that passes."""
        for left in (1, 0):
            try:
                return call()
            except FAILURES as error:
                self._failed(error, left)
        raise AssertionError("unreachable")

    def _send(self, command: Sequence[Argument]) -> Any:
        connection = self._take()
        try:
            connection.send_command(*command, check_health=False)
        except BaseException:
            connection.disconnect()
            raise
        return connection

    def _answer(self, connection: Any, timeout: float | None = None) -> Any:
        """The answer to a command sent on ``connection``, which is then free again."""
        try:
            wait = {} if timeout is None else {"timeout": timeout}
            answer = connection.read_response(**wait)
        except ResponseError:
            self._free.append(connection)
            raise
        except BaseException:
            connection.disconnect()
            raise
        self._free.append(connection)
        return answer
