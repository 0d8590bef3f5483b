"""The web process as it is run: what it answers, what survives its death and Redis's, and that it never answers 5xx."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from interakt_jobs.ledger.keys import prefix
from sandbox.stack import ROOT
from sandbox.valkey import Valkey, free_port
from tests.troubles import TROUBLES
from tests.waiting import until
from worker.webhooks.signature import sign

SECRET, OTHER_SECRET, RCS = b"webhook-secret", b"other-secret", "rcs-path-secret"


class Web:
    """One web process and how to talk to it."""

    def __init__(self, valkey: Valkey, folder: Path, *options: str, **env: str) -> None:
        self.port, self.valkey = free_port(), valkey
        clean = {name: text for name, text in os.environ.items() if not name.startswith("INTERAKT_")}
        self.environment = {
            **clean,
            "REDIS_URL": valkey.url,
            "INTERAKT_WEBHOOK_SECRET": SECRET.decode(),
            "INTERAKT_WEBHOOK_SECRET__BRAND_B": OTHER_SECRET.decode(),
            "INTERAKT_RCS_PATH_SECRET": RCS,
            "INTERAKT_SPOOL_DIR": str(folder / "spool"),
            "PORT": str(self.port),
            **env,
        }
        self.log = folder / "web.log"
        self.options = options
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "worker", "web", *self.options],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60)
        for _ in range(2400):
            with contextlib.suppress(httpx.TransportError):
                self.client.get("/healthz")
                return
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)
        raise TimeoutError(self.log.read_text())

    def post(self, body: bytes, path: str = "/webhooks/interakt", secret: bytes = SECRET) -> httpx.Response:
        return self.client.post(path, content=body, headers={"Interakt-Signature": sign(secret, body)})

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        self.client.close()
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)

    def bodies(self, account: str = "default") -> list[bytes]:
        with Redis.from_url(self.valkey.url) as client:
            return [fields[b"body"] for _, fields in client.xrange(f"{prefix(account)}webhooks")]

    def wait_for(self, number: int, seconds: float = 60) -> list[bytes]:
        """The bodies in the stream, once there are so many."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with contextlib.suppress(Exception):
                if len(found := self.bodies()) >= number:
                    return found
            time.sleep(0.05)
        raise TimeoutError(f"{len(self.bodies())} of {number}: {self.log.read_text()[-2000:]}")

    def ready(self) -> dict[str, object]:
        found: dict[str, object] = self.client.get("/readyz").json()
        return found


@pytest.fixture
def own_valkey() -> Iterator[Valkey]:
    """A server of the test's own, to stop and freeze."""
    with Valkey() as server:
        yield server


@pytest.fixture
def web(own_valkey: Valkey, tmp_path: Path) -> Iterator[Web]:
    made = Web(own_valkey, tmp_path)
    yield made
    made.end()


@pytest.fixture(scope="module")
def shared(valkey: Valkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A web process that tests do not disturb."""
    made = Web(valkey, tmp_path_factory.mktemp("web"))
    yield made
    made.end()


def numbered(count: int, start: int = 0) -> list[bytes]:
    return [b'{"n":%d}' % number for number in range(start, start + count)]


def test_a_signed_webhook_is_in_its_accounts_stream_when_it_is_answered(shared: Web, redis_url: str) -> None:
    assert shared.post(b'{"a": 1}').status_code == 200
    assert shared.post(b'{"b": 1}', "/webhooks/interakt/default").status_code == 200
    assert shared.post(b'{"c": 1}', "/webhooks/interakt/brand_b", OTHER_SECRET).status_code == 200
    assert shared.bodies() == [b'{"a": 1}', b'{"b": 1}']
    assert shared.bodies("brand_b") == [b'{"c": 1}']


def test_what_is_not_signed_or_signed_for_another_account_is_refused_and_counted(
    shared: Web, redis_url: str
) -> None:
    assert shared.client.post("/webhooks/interakt", content=b"{}").status_code == 401
    assert shared.post(b"{}", secret=OTHER_SECRET).status_code == 401
    assert shared.post(b"{}", "/webhooks/interakt/brand_b").status_code == 401
    with Redis.from_url(redis_url) as client:
        until(lambda: client.hget(f"{prefix('default')}count", "webhook|bad_signature") == b"2")
        until(lambda: client.hget(f"{prefix('brand_b')}count", "webhook|bad_signature") == b"1")
    assert shared.bodies() == []


def test_a_secret_is_changed_without_losing_a_webhook(own_valkey: Valkey, tmp_path: Path) -> None:
    own = Web(
        own_valkey,
        tmp_path,
        INTERAKT_WEBHOOK_SECRET="the-new-secret",
        INTERAKT_WEBHOOK_SECRET_OLD=SECRET.decode(),
        INTERAKT_RCS_PATH_SECRET="the-new-path-secret",
        INTERAKT_RCS_PATH_SECRET_OLD=RCS,
    )
    try:
        assert own.post(b'{"a": 1}').status_code == 200
        assert own.post(b'{"b": 1}', secret=b"the-new-secret").status_code == 200
        assert own.post(b'{"c": 1}', "/webhooks/interakt/brand_b", OTHER_SECRET).status_code == 200
        assert own.post(b"{}", "/webhooks/interakt/brand_b").status_code == 401
        with Redis.from_url(own_valkey.url) as client:
            until(lambda: client.hget(f"{prefix('default')}count", "webhook|old_secret") == b"1")
            # a Redis that is slow for a moment has them by way of the disk
            until(lambda: client.xlen(f"{prefix('default')}webhooks") == 2)
            assert client.hget(f"{prefix('brand_b')}count", "webhook|old_secret") is None
            rcs = "/webhooks/interakt/brand_b/rcs/"
            for secret, status in (("the-new-path-secret", 200), (RCS, 200), ("another-secret", 404)):
                assert own.client.post(f"{rcs}{secret}", content=b"{}").status_code == status
            until(lambda: client.hget(f"{prefix('brand_b')}count", "webhook|old_secret") == b"1")
    finally:
        own.end()
    assert "the-new-secret" not in own.log.read_text()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/webhooks/interakt", 405),
        ("PUT", "/webhooks/interakt", 405),
        ("POST", "/webhooks/", 404),
        ("POST", "/webhooks/interakt/nobody", 404),
        ("POST", "/webhooks/interakt/default/rcs/wrong", 404),
        ("POST", "/webhooks/interakt/default/rcs/%F0%28", 404),
        ("POST", "/webhooks/interakt/default/more", 404),
        ("GET", "/nothing", 404),
    ],
)
def test_other_paths_and_methods_are_refused(shared: Web, method: str, path: str, status: int) -> None:
    assert shared.client.request(method, path, content=b"{}").status_code == status


@pytest.mark.parametrize(
    "path",
    [
        "//webhooks/interakt",
        "/webhooks/interakt/",
        "/webhooks//interakt//",
        "//webhooks/interakt//default/",
        "/%2Fwebhooks/interakt",
    ],
)
def test_a_proxys_slashes_do_not_make_another_path(shared: Web, redis_url: str, path: str) -> None:
    body = b'{"n":1}'
    connection = http.client.HTTPConnection(
        "127.0.0.1", shared.port, timeout=30
    )  # httpx would take // for a host
    connection.request("POST", path, body, {"Interakt-Signature": sign(SECRET, body)})
    assert connection.getresponse().status == 200
    assert shared.bodies() == [body]


def test_a_webhook_with_a_wrong_url_is_counted_and_logged(web: Web) -> None:
    for path in ("/webhook/interakt", "/api/webhooks/interakt", "/webhooks/interakt/nobody", "/", "/hook"):
        assert web.post(b"{}", path).status_code == 404
    assert web.client.post("/other", content=b"{}").status_code == 404, "no webhook: not counted"
    with Redis.from_url(web.valkey.url) as client:
        until(lambda: client.hget(f"{prefix('default')}count", "webhook|unknown_path") == b"5")
    assert '"action": "webhook_url"' in web.log.read_text()


def test_a_body_over_one_mebibyte_is_refused_announced_or_not(shared: Web, redis_url: str) -> None:
    assert shared.post(b"x" * (1 << 20)).status_code == 200
    assert shared.post(b"x" * ((1 << 20) + 1)).status_code == 413
    parts = (b"x" * 65536 for _ in range(20))
    assert shared.client.post("/webhooks/interakt", content=parts).status_code == 413
    assert len(shared.bodies()) == 1


def test_an_rcs_callback_needs_its_path_and_nothing_else(shared: Web, redis_url: str) -> None:
    answer = shared.client.post(f"/webhooks/interakt/default/rcs/{RCS}", content=b'{"entityType":"X"}')
    assert answer.status_code == 200
    with Redis.from_url(redis_url) as client:
        ((_, fields),) = client.xrange(f"{prefix('default')}webhooks")
    assert fields[b"kind"] == b"rcs"
    assert RCS not in shared.log.read_text()


def test_an_rcs_callback_is_taken_from_listed_addresses_only_and_a_proxy_is_believed_when_told(
    own_valkey: Valkey, tmp_path: Path
) -> None:
    path, forwarded = f"/webhooks/interakt/default/rcs/{RCS}", {"X-Forwarded-For": "192.0.2.7"}
    own = Web(own_valkey, tmp_path, INTERAKT_RCS_ALLOWED_IPS="192.0.2.0/24")
    try:
        assert own.client.post(path, content=b"{}").status_code == 403
        assert own.client.post(path, content=b"{}", headers=forwarded).status_code == 403
    finally:
        own.end()
    trusting = Web(
        own_valkey, tmp_path, "--trust-proxy", "127.0.0.1", INTERAKT_RCS_ALLOWED_IPS="192.0.2.0/24"
    )
    try:
        assert trusting.client.post(path, content=b"{}").status_code == 403
        assert trusting.client.post(path, content=b"{}", headers=forwarded).status_code == 200
    finally:
        trusting.end()


def test_without_a_secret_webhooks_are_refused_and_the_log_says_why(
    own_valkey: Valkey, tmp_path: Path
) -> None:
    own = Web(own_valkey, tmp_path, INTERAKT_WEBHOOK_SECRET="")
    try:
        assert [own.post(b"{}").status_code for _ in range(3)] == [503] * 3
        assert own.log.read_text().count("INTERAKT_WEBHOOK_SECRET") == 1
        assert own.post(b"{}", "/webhooks/interakt/brand_b", OTHER_SECRET).status_code == 200
    finally:
        own.end()


def test_with_redis_stopped_webhooks_are_answered_and_replayed_in_order(web: Web) -> None:
    sent = numbered(20)
    assert all(web.post(body).status_code == 200 for body in sent)
    assert web.valkey.process is not None
    web.valkey.process.terminate()
    web.valkey.process.wait()
    more = numbered(200, 20)
    assert all(web.post(body).status_code == 200 for body in more)
    assert web.ready()["spool_bytes"]
    web.valkey.start()
    last = numbered(200, 220)
    assert all(web.post(body).status_code == 200 for body in last)
    assert web.wait_for(420) == sent + more + last


def test_with_redis_frozen_each_answer_still_comes_in_time(web: Web) -> None:
    web.post(b'{"n":0}')
    web.valkey.signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        for body in numbered(60, 1):
            assert web.post(body).status_code == 200
        assert time.monotonic() - began < 60, (
            "one waits for Redis until its time-out of a second, the others do not"
        )
    finally:
        web.valkey.signal(signal.SIGCONT)
    found = web.wait_for(61)
    assert list(dict.fromkeys(found)) == numbered(61)


def test_nothing_that_was_answered_is_lost_when_the_process_is_killed(web: Web) -> None:
    answered: list[bytes] = []

    def send(start: int) -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{web.port}", timeout=60) as client:
            for number in range(start, start + 2000):
                body = b'{"n":%d}' % number
                try:
                    answer = client.post(
                        "/webhooks/interakt", content=body, headers={"Interakt-Signature": sign(SECRET, body)}
                    )
                except httpx.TransportError:
                    return
                assert answer.status_code == 200
                answered.append(body)

    for life in range(4):
        away = life % 2 == 0
        if away:
            web.valkey.signal(signal.SIGSTOP)
        threads = [threading.Thread(target=send, args=(life * 10**6 + n * 10**4,)) for n in range(4)]
        for thread in threads:
            thread.start()
        last = len(answered) + 60
        until(lambda last=last: len(answered) >= last)  # type: ignore[misc]
        web.kill()
        for thread in threads:
            thread.join()
        if away:
            web.valkey.signal(signal.SIGCONT)
        web.start()
    assert len(answered) > 200
    until(lambda: not set(answered) - set(web.bodies()))
    until(lambda: web.ready()["spool_bytes"] == 0)


def test_what_waits_on_disk_at_the_end_is_replayed_by_the_next_process(web: Web) -> None:
    web.valkey.kill()
    assert all(web.post(body).status_code == 200 for body in numbered(50))
    web.end()
    web.valkey.start()
    web.start()
    assert web.wait_for(50) == numbered(50)


def test_a_full_redis_is_spared(own_valkey: Valkey, tmp_path: Path) -> None:
    with Redis.from_url(own_valkey.url) as client:
        client.config_set("maxmemory", client.info("memory")["used_memory"] + 100_000)
        own = Web(own_valkey, tmp_path)
        try:
            bodies = numbered(50)
            assert all(own.post(body).status_code == 200 for body in bodies)
            assert own.ready()["spool_bytes"] and own.bodies() == []
            client.config_set("maxmemory", 0)
            assert own.wait_for(50) == bodies
        finally:
            own.end()


def test_health_says_what_it_can(web: Web) -> None:
    assert web.client.get("/healthz").text == "ok"
    found = web.ready()
    assert found["ready"] is True and found["redis"] is True and found["spool_bytes"] == 0
    web.valkey.kill()
    until(lambda: web.ready()["redis"] is False)
    until(lambda: web.client.get("/readyz").status_code == 200)
    assert web.client.get("/readyz?strict").status_code == 503
    assert "interakt_redis_up 0.0" in web.client.get("/metrics").text


@pytest.mark.parametrize("name", TROUBLES)
def test_a_webhook_is_kept_whatever_redis_answers(web: Web, name: str) -> None:
    client = Redis.from_url(web.valkey.url)
    with TROUBLES[name](web.valkey):
        assert web.post(b'{"n":1}').status_code == 200
        assert web.client.get("/healthz").status_code == 200
        until(lambda: "webhooks go to disk: Redis" in web.log.read_text())
    until(lambda: client.xlen(f"{prefix('default')}webhooks") == 1)


def test_it_is_not_ready_while_neither_redis_nor_the_disk_takes_a_webhook(web: Web) -> None:
    def disk(most: int) -> None:
        """Let no file of the process grow beyond ``most`` bytes: a write then fails as on a full disk."""
        resource.prlimit(web.process.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))

    disk(0)
    until(lambda: web.ready()["spool"] is False)
    assert web.post(b"{}").status_code == 200 and web.client.get("/readyz").status_code == 200, (
        "Redis takes it"
    )
    with Redis.from_url(web.valkey.url) as client:
        client.config_set("maxmemory", 1)
        until(lambda: web.client.get("/readyz").status_code == 503)
        assert web.post(b"{}").status_code == 503
        client.config_set("maxmemory", 0)
        until(lambda: web.client.get("/readyz").status_code == 200)
    web.valkey.kill()
    until(lambda: web.client.get("/readyz").status_code == 503)
    assert web.post(b"{}").status_code == 503
    disk(resource.RLIM_INFINITY)
    until(lambda: web.client.get("/readyz").status_code == 200)
    assert web.post(b"{}").status_code == 200


def test_it_is_not_ready_without_any_secret(own_valkey: Valkey, tmp_path: Path) -> None:
    own = Web(
        own_valkey, tmp_path,
        INTERAKT_WEBHOOK_SECRET="", INTERAKT_WEBHOOK_SECRET__BRAND_B="", INTERAKT_RCS_PATH_SECRET="",
    )  # fmt: skip
    try:
        until(lambda: own.ready()["spool"])
        assert own.client.get("/readyz").status_code == 503 and own.ready()["secret"] is False
    finally:
        own.end()


def test_figures_are_not_shown_through_a_proxy_unless_asked_to(shared: Web) -> None:
    through = {"X-Forwarded-For": "192.0.2.7"}
    assert shared.client.get("/metrics").status_code == 200
    assert shared.client.get("/metrics", headers=through).status_code == 404
    assert shared.client.get("/readyz", headers=through).text == "ready"


def memory(web: Web, name: str = "VmHWM") -> int:
    """The most memory that the process has had, in bytes."""
    status = Path(f"/proc/{web.process.pid}/status").read_text()
    return int(status.split(f"{name}:")[1].split()[0]) * 1024


HEAD = b"POST /webhooks/interakt HTTP/1.1\r\nHost: x\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"


@pytest.mark.parametrize(
    ("start", "more"),
    [
        (HEAD, b"a:b\r\n" * 100_000),
        (HEAD + b"x: ", b"y" * 500_000),
        (b"", b"GET /" + b"y" * 500_000),
        (HEAD + b"x" * 90_000 + b": y\r\n", b""),
        (CHUNKED + b"0\r\n", b"a:b\r\n" * 100_000),
        (CHUNKED + b"0\r\nx: ", b"y" * 500_000),
        (CHUNKED + b"1;x=", b"y" * 500_000),
        (b"", b"GET /healthz HTTP/1.1\r\n\r\n" * 20_000),
    ],
)
def test_a_request_without_end_is_cut_off_and_costs_no_memory(
    shared: Web, redis_url: str, start: bytes, more: bytes
) -> None:
    before = memory(shared)
    with socket.create_connection(("127.0.0.1", shared.port), 30) as sock:
        sent = 0
        with contextlib.suppress(OSError):
            sock.sendall(start)
            while sent < 24_000_000:
                sock.sendall(more or b"a:b\r\n")
                sent += len(more) or 5
        assert sent < 24_000_000, "it was never cut off"
    assert memory(shared) - before < 24_000_000
    assert shared.post(b"{}").status_code == 200
    with Redis.from_url(redis_url) as client:
        until(lambda: client.hget(f"{prefix('default')}count", "webhook|refused"))


@pytest.mark.parametrize(
    "half", [b"", b"POST /webhooks/interakt HTT", HEAD, HEAD + b"Content-Length: 9\r\n\r\nx"]
)
def test_whoever_holds_connections_open_loses_them_and_webhooks_are_answered(
    shared: Web, redis_url: str, half: bytes
) -> None:
    held: list[socket.socket] = []
    try:
        for _ in range(1100):
            held.append(socket.create_connection(("127.0.0.1", shared.port), 30))
            held[-1].sendall(half)
        assert shared.post(b'{"n":1}').status_code == 200
        with httpx.Client(base_url=f"http://127.0.0.1:{shared.port}", timeout=30) as fresh:
            answer = fresh.post(
                "/webhooks/interakt", content=b"{}", headers={"Interakt-Signature": sign(SECRET, b"{}")}
            )
        assert answer.status_code == 200
        held[0].settimeout(30)
        with contextlib.suppress(ConnectionResetError):
            assert held[0].recv(1) == b"", "the one that waited longest is closed"
    finally:
        for sock in held:
            sock.close()


def test_an_unusable_setting_or_spool_is_told_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    spool = {"INTERAKT_SPOOL_DIR": str(tmp_path / "file")}
    host = {"INTERAKT_SPOOL_DIR": str(tmp_path), "INTERAKT_WEB_HOST": "192.0.2.1"}
    for env, word in (({"PORT": "x"}, "PORT"), (spool, "SPOOL_DIR"), (host, "WEB_HOST")):
        done = subprocess.run(
            [sys.executable, "-m", "worker", "web"],
            cwd=ROOT, env={"PATH": os.environ["PATH"], **env}, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 2 and word in done.stderr and "Traceback" not in done.stderr


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)
QUIET = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    database=None,
)


@QUIET
@given(JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=2000))
def test_any_signed_body_is_answered_200(shared: Web, body: bytes) -> None:
    assert shared.post(body).status_code == 200


@QUIET
@given(
    st.sampled_from(["GET", "POST", "PUT", "HEAD", "OPTIONS", "PATCH"]),
    st.text("/webinrakt%.?#&=\x7f0é", max_size=40),
    st.lists(st.binary(max_size=80), max_size=3),
    st.binary(max_size=300),
)
def test_no_request_is_answered_with_a_5xx(
    shared: Web, method: str, path: str, signatures: list[bytes], body: bytes
) -> None:
    clean = [bytes(byte for byte in value if byte not in b"\r\n\0") for value in signatures]
    lines = [f"{method} /webhooks/interakt{path} HTTP/1.1".encode(), b"Host: x"]
    lines += [b"Interakt-Signature: " + value for value in clean]
    lines += [b"Content-Length: %d" % len(body), b"Connection: close", b"", body]
    assert status_of(shared.port, b"\r\n".join(lines)) < 500


@QUIET
@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"POST /webhooks/interakt HTTP/1.1\r\n", b"GET / HTTP/1.1\r\n"]),
)
def test_raw_bytes_are_never_answered_with_a_5xx(shared: Web, data: bytes, start: bytes) -> None:
    assert status_of(shared.port, start + data) < 500


def status_of(port: int, data: bytes) -> int:
    """The status that raw bytes are answered with, 0 for none."""
    with socket.create_connection(("127.0.0.1", port), 5) as sock:
        sock.settimeout(5)
        with contextlib.suppress(OSError):
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(OSError):
            while part := sock.recv(65536):
                answer += part
    return int(answer[9:12]) if answer.startswith(b"HTTP/") else 0


def test_after_all_that_it_still_takes_webhooks_and_logged_no_traceback(shared: Web, redis_url: str) -> None:
    assert shared.post(b'{"last":1}').status_code == 200
    log = shared.log.read_text()
    assert "Traceback" not in log and "Exception" not in log
