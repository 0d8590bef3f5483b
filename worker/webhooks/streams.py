"""Redis as the web process sees it: webhooks are appended many at a time over a held connection, inside a total timeout."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

from redis.asyncio.connection import ConnectionPool
from redis.exceptions import ResponseError

from interakt_jobs.ledger.keys import prefix
from interakt_jobs.ledger.redis_errors import FAILURES, explain
from interakt_jobs.ledger.redis_url import plain

from .raw_webhook import RawWebhook

Command = tuple[str | bytes | int, ...]
Counts = Counter[tuple[str, str]]  # of an account and a result; the monitor adds them up in Redis


class Away(Exception):
    """Raised when Redis did not answer in time; what was asked may have been done."""


def stream(account: str) -> str:
    """The key of an account's webhooks that are not yet understood."""
    return f"{prefix(account)}webhooks"


class Streams:
    """One connection; not for two tasks at once. ``timeout`` is seconds for a whole call, connecting included.

    ``refusal`` says why Redis refused something of the last call.
    """

    refusal = ""

    def __init__(self, url: str, timeout: float = 1.0) -> None:
        pool = ConnectionPool.from_url(
            plain(url),
            socket_timeout=None,
            socket_connect_timeout=None,
            retry=None,
            client_name="interakt-web",
            protocol=2,
        )
        self._connection: Any = pool.make_connection()
        self._timeout = timeout

    async def run(self, commands: Sequence[Command]) -> list[Any]:
        """The answers, an error answer among them as a ``ResponseError``; raises ``Away``."""
        connection = self._connection
        try:
            async with asyncio.timeout(self._timeout):
                await connection.send_packed_command(connection.pack_commands(commands), check_health=False)
                answers = [await self._answer() for _ in commands]
        except (*FAILURES, RuntimeError) as error:  # uvloop: RuntimeError on a transport that closes
            await connection.disconnect(nowait=True)
            raise Away(str(explain(error if isinstance(error, FAILURES) else OSError()))) from error
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        errors = [explain(answer) for answer in answers if isinstance(answer, ResponseError)]
        self.refusal = str(errors[0]) if errors else ""
        if any(error.later for error in errors):
            await connection.disconnect(nowait=True)  # a server that was demoted keeps its connections
        return answers

    async def _answer(self) -> Any:
        try:
            return await self._connection.read_response()
        except ResponseError as error:
            return error

    async def append(self, webhooks: Sequence[RawWebhook]) -> list[RawWebhook]:
        """Append webhooks to their accounts' streams; returns those that Redis refused. Raises ``Away``."""
        answers = await self.run(
            [
                (
                    "XADD",
                    stream(webhook.account),
                    "*",
                    "at",
                    webhook.at_ms,
                    "kind",
                    webhook.kind,
                    "body",
                    webhook.body,
                )
                for webhook in webhooks
            ]
        )
        return [
            webhook
            for webhook, answer in zip(webhooks, answers, strict=True)
            if isinstance(answer, ResponseError)
        ]

    async def close(self) -> None:
        await self._connection.disconnect(nowait=True)
