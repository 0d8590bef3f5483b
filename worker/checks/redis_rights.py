"""The rights that the ledger, Celery and beat need of a Redis user, and which of them are missing.

Redis checks a right when it queues a command of a transaction: each is queued, and the transaction is thrown away.
"""

from __future__ import annotations

import re
from typing import Any

from redis import Redis
from redis.exceptions import ResponseError

KEY, CHANNEL = "{ij1:doctor}", "{ij1:doctor}:ended:1"
# By how many arguments follow the key.
ON_A_KEY = (
    "DEL EXISTS GET HGETALL HKEYS HLEN HRANDFIELD INCR LLEN LPOP PTTL RPOP SCARD SMEMBERS SRANDMEMBER TTL TYPE UNLINK "
    "XLEN ZCARD",
    "BLPOP BRPOP EXPIRE HDEL HEXISTS HGET HMGET LINDEX LPUSH PEXPIRE RENAME RPUSH SADD SET SISMEMBER SMISMEMBER SREM SSCAN "
    "XDEL ZMSCORE ZREM ZSCORE",
    "GETRANGE HINCRBY HSET HSETNX LRANGE LREM LTRIM SETRANGE XACK XRANGE XREVRANGE ZADD ZCOUNT ZRANGE ZRANGEBYSCORE "
    "ZREMRANGEBYSCORE",
    "XADD",
)
OTHERS = (
    f"EVAL script 1 {KEY}",
    f"EVALSHA sha 1 {KEY}",
    "SCRIPT LOAD script",
    f"ZUNIONSTORE {KEY} 1 {KEY}",
    "TIME",
    "INFO",
    "PING",
    "SCAN 0",
    "CLIENT SETNAME doctor",
    f"PUBLISH {CHANNEL} 1",
    f"XGROUP CREATE {KEY} group 0",
    f"XINFO CONSUMERS {KEY} group",
    f"XPENDING {KEY} group",
    f"XREADGROUP GROUP group consumer STREAMS {KEY} >",
    f"XAUTOCLAIM {KEY} group consumer 0 0",
)
_COMMAND = re.compile(r"'([a-z|]+)'")


def commands() -> list[list[str]]:
    """Every command that is needed, with as many arguments as Redis wants."""
    found = [[name, KEY, *[KEY] * number] for number, names in enumerate(ON_A_KEY) for name in names.split()]
    return [*found, *(words.split() for words in OTHERS)]


def missing(client: Redis) -> list[str]:
    """What the user lacks, as ACL SETUSER takes it: ``+eval``, ``~{ij1*``, ``&{ij1*``."""
    pool = client.connection_pool
    connection: Any = pool.get_connection()
    try:
        # without a transaction they would be carried out
        lacking = _refused(connection, [["MULTI"]])
        if not lacking:
            lacking = _refused(connection, [*commands(), ["DISCARD"]])
            lacking += _refused(connection, [["EXEC"], ["SUBSCRIBE", CHANNEL]])
        return sorted(set(lacking))
    finally:
        connection.disconnect()
        pool.release(connection)


def _refused(connection: Any, asked: list[list[str]]) -> list[str]:
    lacking = []
    connection.send_packed_command(connection.pack_commands(asked))
    for _ in asked:
        try:
            connection.read_response()
        except ResponseError as error:
            if "permission" in str(error):  # that Redis is full or read-only is another check's matter
                lacking.append(_right(str(error)))
    return lacking


def _right(text: str) -> str:
    if command := _COMMAND.search(text):
        return f"+{command[1]}"
    return "&{ij1*" if "channel" in text else "~{ij1*"
