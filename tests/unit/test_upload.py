"""Where the file of an upload may come from, and where not."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tests.unit.raw_server import RawServer, answer
from worker.http.resolver import Address, is_public
from worker.interakt.client import Client
from worker.interakt.errors import InteraktError, Refused, Unavailable
from worker.interakt.uploads import Uploads

KEY = "c2VjcmV0LXRva2VuOg=="
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "media"
    (inside / "sub").mkdir(parents=True)
    (inside / "sub" / "offer.png").write_bytes(PNG)
    (tmp_path / "secret.txt").write_text("secret")
    return inside


def refused(uploads: Uploads, **payload: str) -> str:
    with pytest.raises(Refused) as caught:
        uploads.multipart(payload, 30.0)
    return str(caught.value)


def test_a_file_is_sent_whole_under_the_given_name(folder: Path) -> None:
    with RawServer(
        lambda sock, _: sock.sendall(answer(200, b'{"result":true,"data":{"file_handle":"h"}}'))
    ) as server:
        client = Client(server.url, KEY, proxies={}, uploads=Uploads(str(folder)))
        found = client.call(
            "upload_template_media", {"filePath": "sub/offer.png", "fileName": 'a"b\r\nX: y.png'}
        )
    assert found.data == {"file_handle": "h"}
    request = server.requests[0]
    assert request.startswith(
        b"POST /v1/public/track/files/upload_to_fb/?fileCategory=message_template_media HTTP/1.1\r\n"
    )
    assert b"Content-Type: multipart/form-data; boundary=" in request
    assert b'name="uploadFile"' in request
    assert b"Content-Type: image/png\r\n\r\n" + PNG in request
    assert b"\r\nX: y" not in request


def test_an_absolute_path_inside_the_folder_is_understood(folder: Path) -> None:
    body, kind = Uploads(str(folder)).multipart({"filePath": str(folder / "sub" / "offer.png")}, 30.0)
    assert PNG in body
    assert b'filename="offer.png"' in body
    assert kind.startswith("multipart/form-data")


@pytest.mark.parametrize(
    "path", ["../secret.txt", "sub/../../secret.txt", "/etc/passwd", "", ".", "sub", "no.png", "a\0b"]
)
def test_nothing_outside_of_the_folder_is_read(folder: Path, path: str) -> None:
    assert "filePath" in refused(Uploads(str(folder)), filePath=path)


def test_links_are_not_followed(folder: Path) -> None:
    (folder / "link").symlink_to(folder.parent / "secret.txt")
    (folder / "up").symlink_to(folder.parent)
    (folder / "sub" / "ok").symlink_to(folder / "sub" / "offer.png")
    for path in ("link", "up/secret.txt", "sub/ok"):
        assert "filePath" in refused(Uploads(str(folder)), filePath=path)


def test_a_pipe_does_not_hang_it(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    assert "not a file" in refused(Uploads(str(folder)), filePath="pipe")


def test_a_path_needs_the_folder_to_be_set_and_a_size_is_kept(folder: Path) -> None:
    assert "INTERAKT_UPLOAD_DIR" in refused(Uploads(), filePath="sub/offer.png")
    assert "larger" in refused(Uploads(str(folder), most_bytes=10), filePath="sub/offer.png")
    assert "must be" in refused(Uploads(str(folder)))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "not an address",
    ],
)
def test_private_addresses_are_not_public(address: str) -> None:
    assert not is_public(Address(socket.AF_INET, (address, 80)))


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822"])
def test_public_addresses_are(address: str) -> None:
    assert is_public(Address(socket.AF_INET, (address, 80)))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/x.png",
        "http://localhost:{port}/x.png",
        "http://2130706433:{port}/x.png",
        "http://0x7f.1:{port}/x.png",
        "http://[::ffff:127.0.0.1]:{port}/x.png",
        "http://0:{port}/x.png",
    ],
)
def test_a_url_that_leads_inside_is_not_asked(url: str) -> None:
    with RawServer(lambda sock, _: sock.sendall(answer(200, PNG))) as server:
        with pytest.raises(InteraktError):
            Uploads().multipart({"fileUrl": url.format(port=server.port)}, 30.0)
        assert server.connections == 0


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://x/y", "http://", "x", "http://user:pass@example.com/", "http://[::1"]
)
def test_only_plain_web_addresses_are_taken(url: str) -> None:
    assert "fileUrl must be" in refused(Uploads(), fileUrl=url)


def test_a_redirect_that_leads_inside_is_not_followed() -> None:
    inside = RawServer(lambda sock, _: sock.sendall(answer(200, b"secret")))
    redirect = answer(302, b"", f"Location: http://127.0.0.1:{inside.port}/")
    with inside, RawServer(lambda sock, _: sock.sendall(redirect)) as outside:
        uploads = Uploads()
        uploads._allowed = lambda address: address.sockaddr[1] == outside.port
        assert "not public" in refused(uploads, fileUrl=f"http://127.0.0.1:{outside.port}/x")
        assert inside.connections == 0


def test_a_url_is_fetched_through_redirects_and_named_as_asked() -> None:
    turns = [
        answer(302, b"", "Location: /images/deep%20blue.png?x=1"),
        answer(200, PNG, "Content-Type: image/png"),
    ]
    with RawServer(lambda sock, _: sock.sendall(turns.pop(0))) as server:
        body, _ = Uploads(allow_private=True).multipart(
            {"fileUrl": f"http://127.0.0.1:{server.port}/go"}, 30.0
        )
    assert PNG in body
    assert b'filename="go"\r\nContent-Type: image/png' in body


@pytest.mark.parametrize(
    ("reply", "family", "words"),
    [
        (answer(404, b""), Refused, "answered 404"),
        (answer(503, b""), Unavailable, "answered 503"),
        (answer(302, b"", "Location: /again", "Connection: close"), Refused, "too many redirects"),
        (answer(200, b"x" * 2000), Refused, "larger"),
        (b"HTTP/1.1 200 X\r\n\r\n" + b"x" * 2000, Unavailable, "too large"),
        (b"HTTP/1.1 200 X\r\nContent-Length: 90\r\n\r\nx", Unavailable, "broke off"),
        (answer(302, b"", "Location: http://[bad", "Connection: close"), Refused, "too many redirects"),
        (answer(302, b"", "Location: gopher://x/", "Connection: close"), Refused, "fileUrl must be"),
    ],
)
def test_what_goes_wrong_with_a_url_is_told(reply: bytes, family: type[InteraktError], words: str) -> None:
    with (
        RawServer(lambda sock, _: (sock.sendall(reply), sock.close())[0]) as server,
        pytest.raises(family) as caught,
    ):
        uploads = Uploads(allow_private=True, most_bytes=1000)
        uploads.multipart({"fileUrl": f"http://127.0.0.1:{server.port}/"}, 30.0)
    assert words in str(caught.value)
