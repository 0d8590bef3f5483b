"""Redis URLs as redis-py takes them, however Celery, kombu or a person spells them."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

from interakt_jobs.errors import NotConfigured

CHECKS = ("required", "optional", "none")


def plain(url: str) -> str:
    """The URL that redis-py takes; raises ``NotConfigured``.

    Celery spells a unix socket ``redis+socket:///path`` and the check of a certificate ``CERT_REQUIRED``. A ``rediss://``
    that says nothing of certificates checks them.
    """
    scheme, mark, rest = url.partition("://")
    scheme = scheme.lower()
    if scheme == "redis+socket":
        scheme = "unix"
    if scheme != "rediss":
        return f"{scheme}{mark}{rest}"
    query = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    check = query.get("ssl_cert_reqs", CHECKS[0]).lower().removeprefix("cert_")
    if check not in CHECKS:
        raise NotConfigured("the Redis URL's ssl_cert_reqs is not known: use required, optional or none")
    return f"rediss://{rest.partition('?')[0]}?{urlencode({**query, 'ssl_cert_reqs': check})}"
