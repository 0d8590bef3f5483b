"""Which hosts may be spoken to in clear text: this machine and private networks, as far as a name or an address tells."""

from __future__ import annotations

import ipaddress

PRIVATE = (".localhost", ".local", ".internal", ".lan", ".test", ".home.arpa", ".svc", ".cluster.local")


def is_public(host: str) -> bool:
    """Whether ``host`` may be anywhere: an address of the internet, or a name with a dot that is of no private zone.

    An address written as one number is not read, and may be anywhere.
    """
    host = host.rstrip(".").lower()
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host.isdigit() or ("." in host and not host.endswith(PRIVATE))
    return address.is_global
