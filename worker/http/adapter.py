"""One ``requests`` session per process, whose adapter makes a call inside a total deadline and tells what became of it."""

from __future__ import annotations

import http.client
import os
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass_environment  # type: ignore[attr-defined]

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import address_in_network, is_ipv4_address, is_valid_cidr

from .connection import Allowed, PlainPool, SecurePool
from .resolver import Resolver

POOL_SIZE = 128
CONNECT_SECONDS = 5.0
IDLE_SECONDS = 15.0
FAILURES = (
    OSError,
    http.client.HTTPException,
    urllib3.exceptions.HTTPError,
    requests.RequestException,
    ValueError,
)
POOLS = {"http": PlainPool, "https": SecurePool}


class Reply(NamedTuple):
    """An answer: ``headers`` in lower case, ``body`` None if it broke off or was larger than allowed."""

    status: int
    headers: dict[str, str]
    body: bytes | None


class Broken(Exception):
    """Raised when a call got no answer; ``left`` is whether any byte of the request may have left. No key is in it."""

    def __init__(self, what: str, left: bool) -> None:
        super().__init__(what, left)
        self.what, self.left = what, left


class Adapter(HTTPAdapter):
    """A ``requests`` adapter with pools of bounded connections; it never retries and never follows a redirect.

    ``idle_seconds`` is the longest that a kept connection may have rested: one that the server has just closed makes a
    send's outcome unknown. ``allowed`` is asked for every address that would be connected to.
    """

    def __init__(
        self,
        *,
        pool_size: int = POOL_SIZE,
        idle_seconds: float = IDLE_SECONDS,
        allowed: Allowed | None = None,
    ) -> None:
        self.idle_seconds = idle_seconds
        self._connection_options = {"resolver": Resolver(), "allowed": allowed}
        super().__init__(pool_connections=64, pool_maxsize=pool_size, max_retries=0, pool_block=True)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, **options)
        self._bound(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        return self._bound(super().proxy_manager_for(proxy, **options))

    def _bound(self, manager: Any) -> Any:
        known = self._connection_options
        manager.pool_classes_by_scheme = {
            scheme: lambda *args, _pool=pool, **options: _pool(*args, **known, **options)
            for scheme, pool in POOLS.items()
        }
        return manager

    def exchange(
        self,
        pool: Any,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        *,
        deadline: float,
        most_bytes: int,
        before_write: Callable[[], None] | None = None,
    ) -> Reply:
        """Make one call by ``deadline`` (monotonic); raises ``Broken``, and what ``before_write`` raises.

        ``before_write`` is called when a connection is ready and nothing has been written; if it raises, the
        connection is kept.
        """
        gone = False

        def leaving() -> None:
            nonlocal gone
            gone = True

        try:
            connection = pool.take(min(deadline, time.monotonic() + CONNECT_SECONDS), self.idle_seconds)
        except FAILURES as error:
            what = f"no connection: {type(error).__name__}"
        else:
            connection.deadline = deadline
            try:
                if before_write is not None:
                    before_write()
            except BaseException:
                pool.give(connection)
                raise
            try:
                response = connection.ask(method, url, headers, body, leaving)
                return self._reply(connection, response, most_bytes)
            except FAILURES as error:
                connection.close()
                what = f"no answer: {type(error).__name__}"
            except BaseException:
                connection.close()
                raise
            finally:
                pool.give(connection)
        raise Broken(what, gone)

    def _reply(self, connection: Any, response: http.client.HTTPResponse, most_bytes: int) -> Reply:
        headers = {name.lower(): value for name, value in response.getheaders()}
        try:
            body = _body(response, most_bytes)
        except FAILURES:
            body = None
        if body is None or response.will_close or not response.isclosed():
            response.close()
            connection.close()
        elif "keep-alive" in headers:
            connection.keep_seconds = _keep_alive(headers["keep-alive"])
        return Reply(response.status, headers, body)


def _body(response: http.client.HTTPResponse, most: int) -> bytes | None:
    if response.length is not None:
        return response.read() if response.length <= most else None
    data = response.read(most + 1)
    return data if len(data) <= most else None


def _keep_alive(value: str) -> float:
    """Seconds of ``timeout=5, max=100``, less one for the way."""
    for part in value.split(","):
        name, _, number = part.strip().partition("=")
        if name.lower() == "timeout" and number.isascii() and number.isdigit():
            return max(0.0, float(number[:6]) - 1.0)
    return float("inf")


def session(adapter: Adapter | None = None) -> requests.Session:
    """A session that reads nothing of the environment and keeps no cookies."""
    made = requests.Session()
    made.trust_env = False
    made.verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
    adapter = adapter or Adapter()
    made.mount("https://", adapter)
    made.mount("http://", adapter)
    return made


@lru_cache(1)
def environment() -> dict[str, str]:
    """The proxies of the environment, read once a process: that takes a tenth of a second where it is large."""
    return getproxies()


def proxies_for(url: str) -> dict[str, str]:
    """The environment's proxies, or none for a ``url`` that ``no_proxy`` names, also by network (10.0.0.0/8)."""
    known, parts = environment(), urlsplit(url)
    nets = filter(is_valid_cidr, known.get("no", "").replace(" ", "").split(","))
    host = parts.hostname or ""
    near = is_ipv4_address(host) and any(address_in_network(host, net) for net in nets)
    return {} if near or proxy_bypass_environment(parts.netloc.rpartition("@")[2], known) else known


@lru_cache(1)
def shared() -> requests.Session:
    """The process's session; a forked child makes its own, connections must not be used by two."""
    return session()


os.register_at_fork(after_in_child=shared.cache_clear)
