"""The file of ``upload_template_media`` as a multipart body, from a public URL or a folder that was set aside for it."""

from __future__ import annotations

import contextlib
import mimetypes
import os
import stat
import time
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import requests

from worker.http.adapter import Adapter, Broken, Reply, session
from worker.http.resolver import is_public

from .errors import InteraktError, Refused, Unavailable

MOST_BYTES = 32 * 1024 * 1024
MOST_REDIRECTS = 3


class Uploads:
    """Gets files. ``directory`` is the only folder a ``filePath`` may name something in; None for no such folder.

    ``allow_private`` lets a ``fileUrl`` lead to an address that is not public. ``most_bytes`` is a file's most.
    """

    def __init__(
        self, directory: str | None = None, *, allow_private: bool = False, most_bytes: int = MOST_BYTES
    ) -> None:
        self.directory, self.most_bytes = directory, most_bytes
        self._allowed = None if allow_private else is_public

    def multipart(self, payload: Mapping[str, Any], seconds: float) -> tuple[bytes, str]:
        """Body and content type; raises ``Refused`` for what can never be, ``Unavailable`` for what may be later."""
        url, path = payload.get("fileUrl"), payload.get("filePath")
        if isinstance(url, str):
            content, kind = self._fetch(url, time.monotonic() + seconds)
            found = PurePosixPath(unquote(urlsplit(url).path)).name
        elif isinstance(path, str):
            content, kind, found = self._read(path), "", PurePosixPath(path).name
        else:
            raise Refused("fileUrl or filePath must be a text")
        name = PurePosixPath(str(payload.get("fileName") or found or "file")).name
        kind = mimetypes.guess_type(name)[0] or kind or "application/octet-stream"
        files = {"uploadFile": (name, content, kind)}
        request = requests.Request("POST", "http://localhost/", files=files).prepare()
        assert isinstance(request.body, bytes)
        return request.body, request.headers["Content-Type"]

    def _fetch(self, url: str, deadline: float) -> tuple[bytes, str]:
        with session(Adapter(pool_size=1, allowed=self._allowed)) as own:
            for _ in range(MOST_REDIRECTS + 1):
                reply = self._get(own, url, deadline)
                if not 300 <= reply.status < 400:
                    break
                with contextlib.suppress(ValueError):
                    url = urljoin(url, reply.headers.get("location", ""))
            else:
                raise Refused("fileUrl leads through too many redirects")
        if reply.status >= 500 or reply.status in (408, 429):
            raise Unavailable(f"fileUrl answered {reply.status}")
        if not 200 <= reply.status < 300:
            raise Refused(f"fileUrl answered {reply.status}")
        if reply.body is None:
            if int(_digits(reply.headers.get("content-length"))) > self.most_bytes:
                raise Refused(f"the file of fileUrl is larger than {self.most_bytes} bytes")
            raise Unavailable("the file of fileUrl broke off, or is too large")
        return reply.body, reply.headers.get("content-type", "").partition(";")[0].strip()

    def _get(self, own: requests.Session, url: str, deadline: float) -> Reply:
        try:
            parts = urlsplit(url)
            host = parts.scheme in ("http", "https") and parts.hostname and parts.username is None
            request = requests.Request("GET", url).prepare() if host else None
        except (requests.RequestException, ValueError):
            request = None
        if request is None:
            raise Refused("fileUrl must be a public http or https address without a user name")
        adapter: Any = own.get_adapter(url)
        failure: InteraktError
        try:
            return adapter.exchange(  # type: ignore[no-any-return]
                adapter.get_connection_with_tls_context(request, own.verify),
                "GET",
                request.path_url,
                {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "interakt-jobs"},
                None,
                deadline=deadline,
                most_bytes=self.most_bytes,
            )
        except Broken as broken:
            failure = Unavailable(f"fileUrl: {broken.what}")
            if "PermissionError" in broken.what:
                failure = Refused("fileUrl leads to an address that is not public")
        raise failure

    def _read(self, path: str) -> bytes:
        if not self.directory:
            raise Refused("filePath needs INTERAKT_UPLOAD_DIR")
        names = PurePosixPath(path)
        if names.is_absolute():
            with contextlib.suppress(ValueError):
                names = names.relative_to(self.directory)
        if names.is_absolute() or ".." in names.parts or not names.parts or "\0" in path:
            raise Refused("filePath leads out of INTERAKT_UPLOAD_DIR")
        try:
            return self._open_and_read(names.parts)
        except OSError as error:
            failure = Refused(f"filePath cannot be read: {type(error).__name__}")
        raise failure

    def _open_and_read(self, names: tuple[str, ...]) -> bytes:
        """Walk down without following a link, so that no link leads out, whoever makes one meanwhile."""
        assert self.directory is not None
        at = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for place, name in enumerate(names):
                last = place == len(names) - 1
                flags = os.O_RDONLY | os.O_NOFOLLOW | (os.O_NONBLOCK if last else os.O_DIRECTORY)
                below = os.open(name, flags, dir_fd=at)
                os.close(at)
                at = below
            found = os.fstat(at)
            if not stat.S_ISREG(found.st_mode):
                raise Refused("filePath is not a file")
            if found.st_size > self.most_bytes:
                raise Refused(f"the file of filePath is larger than {self.most_bytes} bytes")
            with os.fdopen(os.dup(at), "rb") as file:
                return file.read(self.most_bytes)
        finally:
            os.close(at)


def _digits(value: str | None) -> str:
    return value[:18] if value and value.isascii() and value.isdigit() else "0"
