"""One reader of Redis URLs: what Celery, kombu and redis-py make of the same text is one connection."""

from __future__ import annotations

import ssl
from typing import Any
from urllib.parse import quote

import pytest
from redis.connection import ConnectionPool, SSLConnection, UnixDomainSocketConnection

from config.settings import SettingsError, load
from interakt_jobs import NotConfigured
from interakt_jobs.ledger.redis_url import plain
from worker.dispatch.broker import Connection

KEY = {"INTERAKT_API_KEY": "c2VjcmV0LXRva2VuOg=="}
VERIFIED = [
    "rediss://h:1/0",
    "rediss://:my_ssl_pw@h:1/0",
    "rediss://ssl_user:ssl_cert_reqs=none@h:1/0",
    "REDISS://h:1/0",
]


def redis_py(url: str) -> ConnectionPool:
    return ConnectionPool.from_url(plain(url))


def kombu(url: str) -> dict[str, Any]:
    """What kombu would connect with: its host, and what it says of TLS."""
    connection = Connection(url)
    return {"ssl": connection.ssl, "host": connection.hostname, "password": connection.password}


@pytest.mark.parametrize("url", VERIFIED)
def test_tls_is_spoken_and_verified_whatever_stands_in_user_or_password(url: str) -> None:
    pool = redis_py(url)
    assert pool.connection_class is SSLConnection
    assert pool.connection_kwargs["ssl_cert_reqs"] == "required"
    assert kombu(url)["ssl"] == {"ssl_cert_reqs": ssl.CERT_REQUIRED}


@pytest.mark.parametrize(
    ("said", "redis_says", "kombu_says"),
    [
        ("CERT_REQUIRED", "required", ssl.CERT_REQUIRED),
        ("CERT_OPTIONAL", "optional", ssl.CERT_OPTIONAL),
        ("CERT_NONE", "none", ssl.CERT_NONE),
        ("required", "required", ssl.CERT_REQUIRED),
        ("Optional", "optional", ssl.CERT_OPTIONAL),
        ("none", "none", ssl.CERT_NONE),
    ],
)
def test_both_spellings_of_a_certificates_check_hold_in_every_process(
    said: str, redis_says: str, kombu_says: int
) -> None:
    url = f"rediss://:ssl_pw@h:1/0?ssl_cert_reqs={said}&ssl_ca_certs={quote(__file__, safe='')}"
    assert load({**KEY, "REDIS_URL": url}).redis_url == url
    options = redis_py(url).connection_kwargs
    assert (options["ssl_cert_reqs"], options["ssl_ca_certs"]) == (redis_says, __file__)
    assert kombu(url)["ssl"] == {"ssl_cert_reqs": kombu_says, "ssl_ca_certs": __file__}
    assert kombu(url)["password"] == options["password"] == "ssl_pw"


@pytest.mark.parametrize("said", ["perhaps", "", "CERT_", "none2"])
def test_a_check_that_is_none_is_refused_at_start(said: str) -> None:
    url = f"rediss://h:1/0?ssl_cert_reqs={said}"
    with pytest.raises(NotConfigured, match="required, optional or none"):
        plain(url)
    with pytest.raises(SettingsError, match="required, optional or none"):
        load({**KEY, "REDIS_URL": url})


@pytest.mark.parametrize("url", ["redis+socket:///run/s?db=3", "unix:///run/s?db=3"])
def test_a_unix_socket_is_read_in_both_spellings(url: str) -> None:
    pool = redis_py(url)
    assert pool.connection_class is UnixDomainSocketConnection
    assert (pool.connection_kwargs["path"], pool.connection_kwargs["db"]) == ("/run/s", 3)
    assert kombu(url)["host"] == "socket:///run/s?db=3"


@pytest.mark.parametrize("url", ["redis://u:p@h:1/0", "amqp://u:p@h//", "memory://"])
def test_other_urls_stay_as_they_are(url: str) -> None:
    assert plain(url) == url
    assert not kombu(url)["ssl"]
