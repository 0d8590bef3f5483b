"""The chaos proxy loses exactly the answers that it was told to lose, in front of a real server."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from sandbox.valkey import Valkey
from tests.chaos.proxied import ProxyProcess
from tests.chaos.resp import arguments, frame_end, script_of

COUNT = "return redis.call('INCR', KEYS[1])"
OTHER = "return redis.call('INCRBY', KEYS[1], 100)"
SHA = hashlib.sha1(COUNT.encode()).hexdigest()


@pytest.fixture
def proxy(valkey: Valkey, redis_url: str) -> Iterator[ProxyProcess]:
    made = ProxyProcess(valkey.port)
    yield made
    made.stop()


def client(url: str) -> Any:
    return redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0), socket_timeout=30)


def test_commands_and_answers_pass_unchanged(proxy: ProxyProcess) -> None:
    through = client(proxy.url)
    value = bytes(range(256)) * 5000
    assert through.set("k", value)
    assert through.get("k") == value
    pipe = through.pipeline()
    for number in range(500):
        pipe.rpush("l", number)
    pipe.lrange("l", 0, -1)
    assert len(pipe.execute()[-1]) == 500
    assert through.eval(COUNT, 1, "n") == 1


def test_the_script_runs_but_its_answer_is_lost_and_the_connection_cut(
    proxy: ProxyProcess, redis_url: str
) -> None:
    through, direct = client(proxy.url), client(redis_url)
    direct.script_load(COUNT)
    proxy.drop(SHA)
    with pytest.raises(redis.ConnectionError):
        through.evalsha(SHA, 1, "n")
    assert direct.get("n") == b"1"
    assert proxy.dropped(SHA) == 1
    assert through.evalsha(SHA, 1, "n") == 2


def test_other_scripts_and_answers_before_it_in_a_pipeline_arrive(
    proxy: ProxyProcess, redis_url: str
) -> None:
    through = client(proxy.url)
    proxy.drop(SHA)
    assert through.eval(OTHER, 1, "n") == 100
    with pytest.raises(redis.ConnectionError):
        through.eval(COUNT, 1, "n")
    assert client(redis_url).get("n") == b"101"


def test_a_script_that_redis_does_not_know_yet_is_waited_for(proxy: ProxyProcess, redis_url: str) -> None:
    client(redis_url).script_flush()
    through = client(proxy.url)
    proxy.drop(SHA)
    with pytest.raises(redis.exceptions.NoScriptError):
        through.evalsha(SHA, 1, "n")
    with pytest.raises(redis.ConnectionError):
        through.eval(COUNT, 1, "n")
    assert client(redis_url).get("n") == b"1"


def test_before_means_that_the_call_never_reaches_redis(proxy: ProxyProcess, redis_url: str) -> None:
    through = client(proxy.url)
    proxy.drop(SHA, before=True)
    with pytest.raises(redis.ConnectionError):
        through.eval(COUNT, 1, "n")
    assert client(redis_url).get("n") is None


def test_all_connections_are_cut(proxy: ProxyProcess) -> None:
    through = client(proxy.url)
    through.ping()
    assert proxy.tell()["open"] == 1
    threading.Timer(0.2, proxy.tell, kwargs={"cut": True}).start()
    with pytest.raises(redis.ConnectionError):
        through.blpop(["nothing"], timeout=29)
    assert through.ping()


def test_new_connections_are_refused_until_told_otherwise(proxy: ProxyProcess) -> None:
    proxy.tell(refuse=True)
    with pytest.raises(redis.ConnectionError):
        client(proxy.url).ping()
    proxy.calm()
    assert client(proxy.url).ping()


def test_nothing_passes_while_stalled(proxy: ProxyProcess) -> None:
    through = client(proxy.url)
    through.ping()
    proxy.tell(stall=True)
    threading.Timer(0.4, proxy.tell, kwargs={"stall": False}).start()
    began = time.monotonic()
    assert through.ping()
    assert time.monotonic() - began > 0.3


def test_subscriptions_pass(proxy: ProxyProcess, redis_url: str) -> None:
    listener = client(proxy.url).pubsub()
    listener.subscribe("news")
    assert listener.get_message(timeout=30)["type"] == "subscribe"
    client(redis_url).publish("news", b"hello")
    message = listener.get_message(timeout=30)
    assert message is not None
    assert message["data"] == b"hello"


@pytest.mark.parametrize(
    "frame",
    [
        b"+OK\r\n", b"-ERR no\r\n", b":7\r\n", b"$-1\r\n", b"$0\r\n\r\n", b"*-1\r\n", b"*0\r\n",
        b"*2\r\n$1\r\na\r\n*1\r\n:1\r\n", b"%1\r\n+a\r\n:1\r\n", b">2\r\n+x\r\n$1\r\na\r\n",
        b"$8\r\n\r\n*3\r\n\r\n\r\n",
    ],
)  # fmt: skip
def test_a_frame_ends_where_it_ends(frame: bytes) -> None:
    assert frame_end(frame + b"+next") == len(frame)
    for cut in range(len(frame)):
        assert frame_end(frame[:cut]) is None


def test_a_command_is_read_whatever_it_holds() -> None:
    frame = b"*4\r\n$7\r\nEVALSHA\r\n$3\r\nAbC\r\n$1\r\n0\r\n$4\r\n\r\n$1\r\n"
    assert arguments(frame) == [b"EVALSHA", b"AbC", b"0", b"\r\n$1"]
    assert script_of(arguments(frame)) == "abc"
    assert script_of([b"eval", COUNT.encode(), b"0"]) == SHA
    assert script_of([b"PING"]) == ""
