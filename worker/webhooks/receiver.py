"""``POST /webhooks/interakt[/<account>]``, signed, and ``/webhooks/interakt/<account>/rcs/<secret>``, which is not.

A bare ASGI application: this is the path that must be fast. It never raises for what comes from outside.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from interakt_jobs.ledger.keys import DEFAULT_ACCOUNT
from worker.telemetry.rate_limited_log import RateLimitedLog

from .buffer import WebhookBuffer
from .options import WebSettings
from .raw_webhook import RawWebhook
from .signature import HEADERS, is_signed
from .streams import Counts

log = logging.getLogger(__name__)
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
BODY_SECONDS = 10.0
READING_BYTES = 128 << 20


class Refused(Exception):
    """Raised when a request gets another answer than 200: the status, a word to count and a text for the sender."""

    def __init__(self, status: int, result: str, text: str) -> None:
        super().__init__(status, result, text)
        self.status, self.result, self.text = status, result, text


class Gone(Exception):
    """Raised when the sender hung up before the body was complete."""


class Receiver:
    """Answers requests under ``/webhooks/``; what came of each is added to ``counts``."""

    def __init__(self, settings: WebSettings, intake: WebhookBuffer, counts: Counts) -> None:
        self._settings, self._intake, self._counts = settings, intake, counts
        self._seldom = RateLimitedLog()
        self._reading = 0

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        account = DEFAULT_ACCOUNT
        try:
            account, rest = self._account(scope)
            kind = self._kind(account, rest, scope)
            body = await self._body(scope, receive)
            if kind == "whatsapp":
                self._check_signature(account, body, scope)
            if not await self._intake.keep(RawWebhook(account, kind, time.time_ns() // 1_000_000, body)):
                raise Refused(503, "full", "cannot be kept now")
        except Gone:
            return
        except Refused as refused:
            if refused.result:
                self._counts[account, refused.result] += 1
            await _respond(send, refused.status, refused.text.encode())
            return
        await _respond(send, 200, b"ok")

    def _account(self, scope: Scope) -> tuple[str, list[str]]:
        """The account of a path and what follows it; raises ``Refused``."""
        # Proxies double slashes and add one at the end.
        parts = [part for part in scope["path"].split("/") if part]
        account, rest = parts[2] if len(parts) > 2 else DEFAULT_ACCOUNT, parts[3:]
        if parts[:2] != ["webhooks", "interakt"] or (rest and (len(rest) != 2 or rest[0] != "rcs")):
            raise self._unknown(scope, "no such path")
        if account not in self._settings.secrets:
            raise self._unknown(scope, "no such account")
        return account, rest

    def _kind(self, account: str, rest: list[str], scope: Scope) -> str:
        """``rcs`` or ``whatsapp``, of a request that may go on; raises ``Refused``."""
        kind = "rcs" if rest else "whatsapp"
        if kind == "rcs":
            self._check_rcs(account, rest[1], scope)
        if scope["method"] != "POST":
            raise Refused(405, "", "use POST")
        if kind == "whatsapp" and not self._settings.secrets[account]:
            if self._seldom(f"secret {account}"):
                log.critical(
                    "webhooks are refused: the account has no webhook secret; set INTERAKT_WEBHOOK_SECRET",
                    extra={"action": "no_webhook_secret", "account": account},
                )
            raise Refused(503, "no_secret", "the receiver has no secret")
        return kind

    def _unknown(self, scope: Scope, text: str) -> Refused:
        if scope["method"] != "POST":
            return Refused(404, "", text)
        if self._seldom(text):
            log.warning(
                "a webhook came to a URL that is not ours: use https://YOUR-HOST/webhooks/interakt, "
                "or /webhooks/interakt/ACCOUNT for a further account",
                extra={"action": "webhook_url", "error": text},
            )
        return Refused(404, "unknown_path", text)

    def _check_rcs(self, account: str, presented: str, scope: Scope) -> None:
        given, secrets = presented.encode("utf-8", "replace"), self._settings.rcs_secrets
        found = next((secret for secret in secrets if hmac.compare_digest(given, secret)), None)
        if found is None:
            if self._seldom(f"rcs {account}"):
                log.warning(
                    "an RCS callback came with a wrong secret in its path: compare its URL with INTERAKT_RCS_PATH_SECRET",
                    extra={"action": "rcs_path", "account": account},
                )
            raise Refused(404, "bad_path", "no such path")
        if self._settings.rcs_networks and not self._allowed(scope):
            if self._seldom(f"address {account}"):
                log.warning(
                    "an RCS callback came from an address that is not allowed",
                    extra={"action": "rcs_address", "account": account},
                )
            raise Refused(403, "bad_address", "not from here")
        if found != secrets[0]:
            self._counts[account, "old_secret"] += 1

    def _allowed(self, scope: Scope) -> bool:
        """By the address of the connection; uvicorn puts the proxied one there, if proxies are trusted."""
        try:
            address = ipaddress.ip_address((scope.get("client") or ("",))[0])
        except ValueError:
            return False
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._settings.rcs_networks)

    def _check_signature(self, account: str, body: bytes, scope: Scope) -> None:
        for secret in (secrets := self._settings.secrets[account]):
            if is_signed(secret, body, scope["headers"]):
                if secret is not secrets[0]:
                    self._counts[account, "old_secret"] += 1
                return
        if self._seldom(f"signature {account}"):
            log.warning(
                "a webhook's signature is missing or wrong",
                extra={"action": "webhook_unsigned", "account": account},
            )
        raise Refused(401, "bad_signature", "the signature is missing or wrong")

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        """The whole body; raises ``Refused`` when it is too large or too slow, ``Gone`` when the sender hangs up."""
        most = self._settings.body_bytes
        if _announced(scope) > most:
            raise Refused(413, "too_large", f"at most {most} bytes")
        message = await receive()
        if not message.get("more_body") and message["type"] == "http.request":
            body: bytes = message.get("body", b"")
            if len(body) > most:
                raise Refused(413, "too_large", f"at most {most} bytes")
            return body
        try:
            async with asyncio.timeout(BODY_SECONDS):
                return await self._rest(message, receive, most)
        except TimeoutError:
            raise Refused(408, "too_slow", "the body did not come") from None

    async def _rest(self, message: MutableMapping[str, Any], receive: Receive, most: int) -> bytes:
        parts: list[bytes] = []
        size = 0
        try:
            while True:
                if message["type"] == "http.disconnect":
                    raise Gone
                part = message.get("body", b"")
                parts.append(part)
                size += len(part)
                self._reading += len(part)
                if size > most:
                    raise Refused(413, "too_large", f"at most {most} bytes")
                if self._reading > READING_BYTES:
                    raise Refused(503, "full", "too many large bodies at once")
                if not message.get("more_body"):
                    return b"".join(parts)
                message = await receive()
        finally:
            self._reading -= size


def looks_like_a_webhook(scope: Scope) -> bool:
    """Whether a request is for the receiver, to be kept or to be counted as one whose URL is wrong."""
    path = scope["path"].lower()
    return "webhook" in path or "interakt" in path or any(name in HEADERS for name, _ in scope["headers"])


def _announced(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0


async def _respond(send: Send, status: int, text: bytes) -> None:
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(text))]
    if status in (408, 413):
        headers.append((b"connection", b"close"))  # the rest of the body is not wanted
    if status == 405:
        headers.append((b"allow", b"POST"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})
