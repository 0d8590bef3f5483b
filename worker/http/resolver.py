"""Names to addresses in bounded time: ``getaddrinfo`` has no timeout, so it runs in a thread that may be left behind.

Also which addresses are public: what a user's URL may make this machine connect to.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from typing import Any, NamedTuple

FRESH_SECONDS = 30.0
STALE_SECONDS = 600.0
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Address(NamedTuple):
    """One answer of ``getaddrinfo``."""

    family: int
    sockaddr: tuple[Any, ...]


class _Lookup(threading.Thread):
    """One running look-up, that any number of callers may wait for."""

    def __init__(self, resolver: Resolver, host: str, port: int) -> None:
        super().__init__(name="resolver", daemon=True)
        self.resolver, self.host, self.port = resolver, host, port
        self.found: list[Address] = []
        self.error: OSError | None = None

    def run(self) -> None:
        try:
            answers = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
            self.found = [Address(int(family), sockaddr) for family, _, _, _, sockaddr in answers]
        except OSError as error:
            self.error = error
        except UnicodeError:
            self.error = socket.gaierror(socket.EAI_NONAME, "not a host name")
        self.resolver.ended(self)


class Resolver:
    """Keeps answers 30 s, and up to 10 minutes while the name server is away. For many threads."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], tuple[float, list[Address]]] = {}
        self._running: dict[tuple[str, int], _Lookup] = {}
        self._lock = threading.Lock()

    def resolve(self, host: str, port: int, deadline: float) -> list[Address]:
        """Addresses of ``host`` by ``deadline`` (monotonic); raises ``OSError``, ``TimeoutError`` when late."""
        host = host.strip("[]")
        at, known = self._known.get((host, port), (0.0, []))
        age = time.monotonic() - at
        if known and age < FRESH_SECONDS:
            return known
        lookup = self._lookup(host, port)
        lookup.join(max(0.0, deadline - time.monotonic()))
        if lookup.found:
            return lookup.found
        if known and age < STALE_SECONDS:
            return known
        raise lookup.error or TimeoutError("DNS took too long")

    def _lookup(self, host: str, port: int) -> _Lookup:
        with self._lock:
            lookup = self._running.get((host, port))
            if lookup is None:
                lookup = self._running[host, port] = _Lookup(self, host, port)
                lookup.start()
            return lookup

    def ended(self, lookup: _Lookup) -> None:
        """Keep what a look-up found."""
        with self._lock:
            name = lookup.host, lookup.port
            self._running.pop(name, None)
            if lookup.found:
                self._known[name] = (time.monotonic(), lookup.found)


def is_public(address: Address) -> bool:
    """Whether anyone on the internet could be meant; addresses that carry another one are judged by that."""
    try:
        ip = ipaddress.ip_address(str(address.sockaddr[0]).partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            ip = inner
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not ip.is_unspecified
