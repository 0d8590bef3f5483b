"""What an error of Redis means: does it pass by itself (wait), or must a person act, and what is to be done.

The one place that decides it, for producers, workers, beat, the web process and the command line.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from redis import exceptions

from interakt_jobs.errors import LedgerDamaged, LedgerFull, LedgerRefused, LedgerUnreachable

FAILURES = (exceptions.RedisError, OSError)
# The first word of an answer -> whether it passes by itself, what it means, what to do.
_WORDS: dict[str, tuple[bool, str, str]] = {
    "READONLY": (True, "Redis is a read-only replica", "if the failover is over, point the URL at the primary"),
    "LOADING": (True, "Redis is still loading its data", "it answers when that is done"),
    "MASTERDOWN": (True, "Redis is a replica without its primary", "bring the primary back"),
    "NOREPLICAS": (True, "Redis has too few replicas to take writes", "bring one back, or lower min-replicas-to-write"),
    "MISCONF": (True, "Redis cannot save to its disk, so it takes no writes", "make room on its disk, see its log"),
    "BUSY": (True, "Redis is busy with a slow script", "SCRIPT KILL or FUNCTION KILL ends it"),
    "UNBLOCKED": (True, "Redis ended a blocking call, its role changes", "it passes with the failover"),
    "CLUSTERDOWN": (True, "the Redis cluster is down", "bring its nodes back"),
    "TRYAGAIN": (True, "the Redis cluster is moving keys", "it passes when that is done"),
    "EXECABORT": (True, "Redis dropped a transaction", "it is asked again"),
    "NOSCRIPT": (True, "Redis lost a script", "it is sent again"),
    "MAXCLIENTS": (True, "Redis has too many connections", "close some, or raise maxclients"),
    "TIMEOUT": (True, "no answer from Redis in time", "see whether it is overloaded or its network is slow"),
    "CONNECTION": (True, "no answer from Redis", "start Redis, or correct its URL"),
    "TLS": (False, "no secure connection to Redis", "correct rediss:// and the ssl_ options of the URL"),
    "NOAUTH": (False, "Redis wants a password", "put the user and the password into the URL"),
    "WRONGPASS": (False, "Redis refuses the user or the password", "correct them in the URL"),
    "UNWANTED": (False, "Redis has no password, and the URL gives one", "take it out of the URL, or give Redis one"),
    "NOPERM": (False, "the user of Redis lacks a right", "grant it: docs/operations.md lists what is needed"),
    "DENIED": (False, "Redis runs in protected mode", "give it a password, or bind it to an address"),
    "MOVED": (False, "this Redis is a node of a cluster", "use one primary: Redis Cluster is not supported"),
    "CROSSSLOT": (False, "this Redis is a cluster", "use one primary: Redis Cluster is not supported"),
    "OOM": (True, "Redis is at its maxmemory", "free memory or raise maxmemory"),
    "WRONGTYPE": (True, "a key of Redis holds another type than the ledger's", "a worker sets it aside and names it"),
    "SCRIPT": (True, "a script met a value in Redis that it cannot read", "who else writes to the ledger's keys?"),
}  # fmt: skip
# redis-py takes the first word off some texts and says it by a class; the first that fits holds.
_CLASSES: tuple[tuple[type[Exception], str], ...] = (
    (exceptions.ReadOnlyError, "READONLY"),
    (exceptions.BusyLoadingError, "LOADING"),
    (exceptions.MasterDownError, "MASTERDOWN"),
    (exceptions.ClusterDownError, "CLUSTERDOWN"),
    (exceptions.TryAgainError, "TRYAGAIN"),
    (exceptions.ClusterCrossSlotError, "CROSSSLOT"),
    (exceptions.AskError, "MOVED"),
    (exceptions.ExecAbortError, "EXECABORT"),
    (exceptions.NoScriptError, "NOSCRIPT"),
    (exceptions.NoPermissionError, "NOPERM"),
    (exceptions.AuthorizationError, "NOPERM"),
    (exceptions.OutOfMemoryError, "OOM"),
    (exceptions.AuthenticationWrongNumberOfArgsError, "WRONGPASS"),
    (exceptions.AuthenticationError, "WRONGPASS"),
    (exceptions.TimeoutError, "TIMEOUT"),
    (TimeoutError, "TIMEOUT"),
    (OSError, "CONNECTION"),
)
_TEXTS = (
    ("max number of clients", "MAXCLIENTS"),
    ("Authentication required", "NOAUTH"),
    ("no password is set", "UNWANTED"),
    ("without any password configured", "UNWANTED"),
    ("executing the script can't", "NOPERM"),
    ("CERTIFICATE_VERIFY_FAILED", "TLS"),
    ("WRONG_VERSION_NUMBER", "TLS"),
    ("non local key", "CROSSSLOT"),
)


class Fault(NamedTuple):
    """An error of Redis: its word, whether it passes by itself, what it means and what to do."""

    word: str
    later: bool
    found: str
    fix: str

    def __str__(self) -> str:
        return f"{self.found}: {self.fix}"


def explain(error: BaseException) -> Fault:
    """What an error of redis-py, or one of a socket, means. No text of a caller's is in the answer."""
    word = _word(error)
    other = (False, f"Redis refuses a command ({word})", "see its log; docs/operations.md says what it needs")
    return Fault(word, *_WORDS.get(word, other))


def _word(error: BaseException) -> str:
    text = str(error).removeprefix("ERR ")
    first = text.partition(" ")[0]
    if getattr(error, "status_code", "") != "ERR" and re.fullmatch("[A-Z]{4,20}", first):
        return first
    for part, word in _TEXTS:
        if part in text:
            return word
    for kind, word in _CLASSES:
        if isinstance(error, kind):
            return word
    if text.startswith(("user_script:", "Error running script")):
        return "SCRIPT"
    if isinstance(error, exceptions.ConnectionError):
        return "CONNECTION"
    return f"ERR {text.partition(',')[0][:60]}"


def job_error(error: BaseException) -> LedgerUnreachable | LedgerFull:
    """The error to raise instead: ``LedgerUnreachable`` or one of its kinds, or ``LedgerFull``."""
    fault = explain(error)
    if fault.word == "OOM":
        return LedgerFull(str(fault))
    if fault.word in ("WRONGTYPE", "SCRIPT"):
        return LedgerDamaged(str(fault), fault.word)
    return (LedgerUnreachable if fault.later else LedgerRefused)(str(fault), fault.word)
