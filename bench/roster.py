"""Everything that is measured: how each is started, with how many slots, and what its guarantee is."""

from __future__ import annotations

from bench.peer import Commands, Peer
from bench.processes import ROOT

OURS = "kept and sent once; a job whose call was under way is held, a receipt settles it"
EARLY = "a running job is lost; those fetched ahead come back after the visibility timeout (1 h)"
QUIET = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
POPPED = "lost: a job leaves Redis when a worker takes it"


def _celery(module: str, options: list[str]) -> list[str]:
    return ["-m", "celery", "-A", module, "worker", *options]


def procfile(kind: str, slots: int, name: str) -> list[str]:
    """The Procfile's command of a kind, without the interpreter, with another number of threads and name."""
    lines = (ROOT / "Procfile").read_text().splitlines()
    words = next(line for line in lines if line.startswith(f"{kind}: ")).partition(": python ")[2].split()
    words[words.index("-c") + 1] = str(slots)
    words[words.index("-n") + 1] = f"{name}@bench"
    return words


def _ours(kind: str) -> Commands:
    return lambda slots: [procfile(kind, slots // 2, f"{kind}{number}") for number in (1, 2)]


def _naive(slots: int) -> list[list[str]]:
    return [_celery("bench.peers.celery_naive", ["--concurrency", str(slots)])]


def _tuned(slots: int) -> list[list[str]]:
    if slots <= 2:
        return [_celery("bench.peers.celery_tuned", [*QUIET, "--concurrency", str(slots)])]
    pool = [*QUIET, "--pool", "threads", "--concurrency", str(slots // 2)]
    return [_celery("bench.peers.celery_tuned", [*pool, "--hostname", f"{n}@bench"]) for n in ("one", "two")]


def _dramatiq(slots: int) -> list[list[str]]:
    return [["-m", "dramatiq", "bench.peers.dramatiq_app", "--processes", "2", "--threads", str(slots // 2)]]


def _rq(slots: int) -> list[list[str]]:
    options = ["--worker-class", "rq.worker.SimpleWorker", "--num-workers", str(slots), "--quiet"]
    return [["-m", "rq.cli", "worker-pool", *options, "default"]]


def _huey(slots: int) -> list[list[str]]:
    start = ["-m", "huey.bin.huey_consumer", "bench.peers.huey_app.huey", "--quiet"]
    if slots <= 2:
        return [[*start, "--workers", str(slots), "--worker-type", "process"]]
    return [[*start, "--workers", str(slots // 2), "--worker-type", "thread"] for _ in range(2)]


def _arq(slots: int) -> list[list[str]]:
    return [["-m", "arq", "bench.peers.arq_app.WorkerSettings"] for _ in range(2)]


def _taskiq(slots: int) -> list[list[str]]:
    options = ["--workers", "2", "--max-async-tasks", str(slots // 2), "--log-level", "ERROR"]
    return [["-m", "taskiq", "worker", "bench.peers.taskiq_app:broker", *options]]


PEERS = [
    Peer(
        name="ours",
        title="this worker, delay",
        module="ours",
        environment=None,
        guarantee=OURS,
        workers=_ours("worker"),
        slots={0: 64, 150: 288},
        rate={0: 1400, 150: 1000},
        packages=("celery", "kombu", "redis", "requests", "marshmallow"),
    ),
    Peer(
        name="ours-bulk",
        title="this worker, delay_many",
        module="ours_bulk",
        environment=None,
        guarantee=OURS,
        workers=_ours("bulk"),
        slots={0: 192, 150: 256},
        rate={0: 1500, 150: 1000},
        bulk=True,
    ),
    Peer(
        name="celery-naive",
        title="Celery, defaults",
        module="celery_naive",
        environment="celery",
        guarantee=EARLY,
        workers=_naive,
        slots={0: 2, 150: 8},
        rate={0: 250, 150: 50},
        packages=("celery", "kombu", "redis", "requests", "marshmallow"),
    ),
    Peer(
        name="celery-tuned",
        title="Celery, tuned",
        module="celery_tuned",
        environment="celery",
        guarantee=EARLY,
        workers=_tuned,
        slots={0: 2, 150: 128},
        rate={0: 380, 150: 300},
    ),
    Peer(
        name="dramatiq",
        title="dramatiq",
        module="dramatiq_app",
        environment="dramatiq",
        guarantee="runs again, so may be sent twice, once the worker's heartbeat is 60 s old",
        workers=_dramatiq,
        slots={0: 16, 150: 128},
        rate={0: 700, 150: 500},
        packages=("dramatiq", "redis"),
    ),
    Peer(
        name="rq",
        title="RQ, SimpleWorker",
        module="rq_app",
        environment="rq",
        guarantee="a running job is moved to the failed ones; not run again unless it was given retries",
        workers=_rq,
        slots={0: 2, 150: 16},
        rate={0: 320, 150: 90},
        packages=("rq", "redis"),
    ),
    Peer(
        name="huey",
        title="huey",
        module="huey_app",
        environment="huey",
        guarantee=POPPED,
        workers=_huey,
        slots={0: 2, 150: 128},
        rate={0: 800, 150: 300},
        packages=("huey", "redis"),
    ),
    Peer(
        name="arq",
        title="arq, aiohttp",
        module="arq_app",
        environment="arq",
        guarantee="runs again, so may be sent twice, after its timeout (310 s)",
        workers=_arq,
        slots={0: 200, 150: 256},
        rate={0: 900, 150: 700},
        packages=("arq", "redis", "aiohttp", "uvloop"),
    ),
    Peer(
        name="taskiq",
        title="taskiq, aiohttp",
        module="taskiq_app",
        environment="taskiq",
        guarantee=POPPED,
        workers=_taskiq,
        slots={0: 200, 150: 256},
        rate={0: 1200, 150: 1000},
        packages=("taskiq", "taskiq-redis", "redis", "aiohttp", "uvloop"),
    ),
]
