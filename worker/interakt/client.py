"""The Interakt API: one call, one answer, or one of our errors; nothing else is raised and nothing is retried."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests

from interakt_jobs import OPERATIONS
from interakt_jobs.ledger.record import USUAL
from worker.http import adapter as http_adapter
from worker.http.adapter import Adapter, Broken

from .auth import authorization, secrets_of
from .echoes import values_of, without
from .errors import Refused, Unavailable
from .responses import Answer, classify, doubtful
from .uploads import Uploads

DEADLINE_SECONDS = 20.0
MOST_BYTES = 1_048_576
JSON = "application/json"


class Prepared(bytes):
    """A request's body, with what else the payload decides: the URL's query and the body's type; and the payload."""

    payload: Mapping[str, Any] | None = None
    query = ""
    content_type = JSON


class Client:
    """Calls one account's API at ``base_url`` with ``key``, in any number of threads.

    ``deadline`` seconds bound a whole call, DNS counted; ``max_body`` bytes an answer. ``session`` is one of
    ``adapter.session``, by default the process's. ``proxies`` are ``requests``' own; by default those of the
    environment, read once a process. Raises ``ValueError`` for a key or URL that cannot be used.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        deadline: float = DEADLINE_SECONDS,
        max_body: int = MOST_BYTES,
        session: requests.Session | None = None,
        proxies: Mapping[str, str] | None = None,
        uploads: Uploads | None = None,
    ) -> None:
        self.base_url = base_url if base_url.endswith("/") else f"{base_url}/"
        self.deadline, self.max_body = deadline, max_body
        self._session, self._uploads = session, uploads or Uploads()
        self._proxies = dict(http_adapter.proxies_for(base_url) if proxies is None else proxies)
        self._path = urlsplit(self.base_url).path
        self._headers = {
            "Authorization": authorization(key),
            "Accept": JSON,
            "Accept-Encoding": "identity",
            "User-Agent": "interakt-jobs",
        }
        self._secrets = secrets_of(key)
        self._json_headers = {**self._headers, "Content-Type": JSON}
        self._place: tuple[requests.Session, Adapter, Any, str, dict[str, str]] | None = None

    def __repr__(self) -> str:
        return f"Client({self.base_url!r})"

    def prepare(self, operation: str, payload: Mapping[str, Any]) -> Prepared:
        """The request of ``payload``, ready to be sent by ``call``.

        Raises ``KeyError`` for an unknown operation and ``ValueError`` or ``TypeError`` for what is no JSON. Preparing
        ``upload_template_media`` gets the file and raises ``Refused`` or ``Unavailable`` when it cannot.
        """
        route = OPERATIONS[operation]
        query = {name: payload[name] for name in route.query if payload.get(name) is not None}
        if operation == "upload_template_media":
            body, content_type = self._uploads.multipart(payload, self.deadline)
            prepared = Prepared(body)
            prepared.content_type = content_type
            query.setdefault("fileCategory", "message_template_media")
        elif route.method == "GET":
            prepared = Prepared()
        else:
            rest = {name: value for name, value in payload.items() if name not in query} if query else payload
            prepared = Prepared(encode(rest))
        if query:
            prepared.query = "?" + urlencode(query)
        prepared.payload = payload
        return prepared

    def call(
        self,
        operation: str,
        payload: Mapping[str, Any] | Prepared,
        *,
        before_write: Callable[[], None] | None = None,
    ) -> Answer:
        """Make one call; raises ``Refused``, ``Unavailable`` or ``Unknown``, and what ``before_write`` raises.

        No text of these repeats the payload or the key.

        ``payload`` is the operation's, or what ``prepare`` made of it. ``before_write`` is called when a connection is
        ready and before a byte is written.
        """
        deadline = time.monotonic() + self.deadline
        route = OPERATIONS[operation]
        body = payload if isinstance(payload, Prepared) else self.prepare(operation, payload)
        path, headers = self._path + route.path + body.query, self._json_headers
        if body.content_type != JSON:
            headers = {**self._headers, "Content-Type": body.content_type}
        adapter, pool, start, proxy_headers = self._where()
        if proxy_headers:
            headers = {**headers, **proxy_headers}
        failure = None
        try:
            reply = adapter.exchange(
                pool,
                route.method,
                start + path,
                headers,
                None if route.method == "GET" else body,
                deadline=deadline,
                most_bytes=self.max_body,
                before_write=before_write,
            )
        except Broken as broken:
            failure = doubtful(route.kind, broken.what) if broken.left else Unavailable(broken.what)
        if failure is not None:
            raise failure  # outside of `except`: what it was made from would stay with it

        def clean(text: str) -> str:
            if not text or text in USUAL.values():
                return text
            return without(text, (*self._secrets, *values_of(body.payload)))

        return classify(route.kind, reply.status, reply.headers, reply.body, time.time(), clean)

    def _where(self) -> tuple[Adapter, Any, str, dict[str, str]]:
        """The adapter and pool to use, what comes before the path, and headers for a proxy."""
        session = self._session or http_adapter.shared()
        place = self._place
        if place is None or place[0] is not session:
            adapter = session.get_adapter(self.base_url)
            if not isinstance(adapter, Adapter):
                raise TypeError("the session must be one of worker.http.adapter.session")
            request = requests.Request("POST", self.base_url).prepare()
            try:
                pool: Any = adapter.get_connection_with_tls_context(request, session.verify, self._proxies)
            except (requests.RequestException, OSError, ValueError) as error:
                raise Refused(
                    f"the proxy or the CA file cannot be used: {type(error).__name__}", None, "deployment"
                ) from None
            forwarded = pool.proxy is not None and not pool.tunnels
            parts = urlsplit(self.base_url)
            start = f"{parts.scheme}://{parts.netloc}" if forwarded else ""
            place = self._place = (
                session,
                adapter,
                pool,
                start,
                dict(pool.proxy_headers) if forwarded else {},
            )
        return place[1:]


def encode(value: Any) -> bytes:
    """``value`` as compact JSON; raises ``ValueError`` or ``TypeError``."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
