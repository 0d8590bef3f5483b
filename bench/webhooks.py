"""``python -m bench.webhooks``: load on the webhook receiver, with Redis away for a while in the middle.

The load comes from a process of its own at a fixed rate, whatever the answers do: a latency is counted from when the request
was due, not from when it could be sent. Afterwards every webhook that was answered 200 must be in the stream.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

import uvloop

from bench.processes import ROOT, cpu_seconds, memory, start, stop
from interakt_jobs.ledger.keys import prefix
from sandbox.valkey import Valkey, free_port
from worker.webhooks.signature import sign

SECRET = b"bench-secret"
STREAM = f"{prefix('default')}webhooks"


class Connection(asyncio.Protocol):
    """One keep-alive connection: a request, then its answer."""

    def __init__(self) -> None:
        self.transport: Any = None
        self.answer: asyncio.Future[int] | None = None
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, mark, rest = self._buffer.partition(b"\r\n\r\n")
        if not mark:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        if len(rest) >= length and self.answer is not None and not self.answer.done():
            self._buffer = b""
            self.answer.set_result(int(head[9:12]))

    def connection_lost(self, error: Exception | None) -> None:
        self.transport = None
        if self.answer is not None and not self.answer.done():
            self.answer.set_result(0)

    async def ask(self, request: bytes) -> int:
        """The status, 0 when the connection broke."""
        if self.transport is None:
            return 0
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self.answer


def request(number: int, padding: str) -> bytes:
    """One signed webhook of the size that Interakt's have."""
    data = {"message": {"id": f"{number:08d}", "message_status": "Delivered", "raw_template": padding}}
    body = json.dumps({"type": "message_api_delivered", "data": data}).encode()
    head = (
        f"POST /webhooks/interakt HTTP/1.1\r\nHost: bench\r\nInterakt-Signature: {sign(SECRET, body)}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def load(port: int, rate: float, seconds: float, connections: int) -> dict[str, Any]:
    """Send at ``rate`` a second for ``seconds``: each webhook's number, latency in ms and status (0: no answer)."""
    loop = asyncio.get_running_loop()
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(connections):
        _, made = await loop.create_connection(Connection, "127.0.0.1", port)
        free.put_nowait(made)
    requests = [request(number, "x" * 1500) for number in range(int(rate * seconds))]
    answers: list[tuple[int, float, int]] = []
    began = time.perf_counter()

    async def one(number: int, due: float) -> None:
        connection = await free.get()
        if connection.transport is None:
            with contextlib.suppress(OSError):
                _, connection = await loop.create_connection(Connection, "127.0.0.1", port)
        status = await connection.ask(requests[number])
        answers.append((number, (time.perf_counter() - began - due) * 1000, status))
        free.put_nowait(connection)

    tasks = set()
    for number in range(len(requests)):
        due = number / rate
        if (wait := began + due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        task = loop.create_task(one(number, due))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    while tasks:
        await asyncio.wait(list(tasks))
    return {"answers": answers}


def figures(answers: list[list[float]], first: float = 0.0, last: float = 1e9) -> dict[str, float]:
    """Percentiles of the latencies in ms, of the webhooks with these numbers."""
    found = sorted(latency for number, latency, _ in answers if first <= number < last)
    if not found:
        return {}
    at = {name: found[min(len(found) - 1, int(share * len(found)))] for name, share in SHARES.items()}
    return {
        "n": len(found),
        **{name: round(value, 2) for name, value in at.items()},
        "max": round(found[-1], 1),
    }


SHARES = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}


def stored(valkey: Valkey) -> Counter[int]:
    """How often each webhook stands in the stream."""
    from redis import Redis

    found: Counter[int] = Counter()
    with Redis.from_url(valkey.url) as client:
        last = "-"
        while rows := client.xrange(STREAM, last, "+", 5000):
            found.update(int(json.loads(row[b"body"])["data"]["message"]["id"]) for _, row in rows)
            last = "(" + rows[-1][0].decode()
    return found


def overtaken(valkey: Valkey) -> int:
    """How many webhooks stand before one that was received earlier, by the receiver's clock."""
    from redis import Redis

    with Redis.from_url(valkey.url) as client:
        times = [int(row[b"at"]) for _, row in client.xrange(STREAM)]
    return sum(later < earlier for earlier, later in itertools.pairwise(times))


def disturb(valkey: Valkey, fault: str, after: float, lasting: float) -> None:
    """Take Redis away ``after`` seconds for ``lasting`` seconds: ``stop`` it, or ``freeze`` it."""
    time.sleep(after)
    if fault == "freeze":
        valkey.signal(signal.SIGSTOP)
        time.sleep(lasting)
        valkey.signal(signal.SIGCONT)
    elif fault == "stop":
        assert valkey.process is not None
        valkey.process.terminate()
        valkey.process.wait()
        time.sleep(lasting)
        valkey.start()


def web_environment(valkey: Valkey, folder: str, port: int) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("INTERAKT_")}
    return {
        **clean,
        "REDIS_URL": valkey.url,
        "INTERAKT_WEBHOOK_SECRET": SECRET.decode(),
        "INTERAKT_SPOOL_DIR": f"{folder}/spool",
        "PORT": str(port),
    }


def until_drained(port: int, patience: float = 120.0) -> float:
    """Seconds until nothing waits on disk."""
    began = time.monotonic()
    while time.monotonic() - began < patience:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
            state = json.load(answer)
        if state["redis"] and state["spool_bytes"] == 0:
            return time.monotonic() - began
        time.sleep(0.1)
    raise TimeoutError("the spool was not replayed")


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m bench.webhooks",
        description="Load the webhook receiver and count what was lost.",
        epilog="example: python -m bench.webhooks --seconds 90 --fault stop --away 60",
    )
    made.add_argument("--rate", type=float, default=1000, help="webhooks a second (1000)")
    made.add_argument("--seconds", type=float, default=90, help="how long (90)")
    made.add_argument("--connections", type=int, default=50, help="keep-alive connections (50)")
    made.add_argument(
        "--fault", choices=("none", "stop", "freeze"), default="stop", help="what happens to Redis"
    )
    made.add_argument("--after", type=float, default=15, help="seconds before the fault (15)")
    made.add_argument("--away", type=float, default=60, help="seconds that Redis is away (60)")
    made.add_argument("--load", type=int, help=argparse.SUPPRESS)
    return made


def run(options: argparse.Namespace) -> dict[str, Any]:
    """One run: the receiver on one core, all else on the others."""
    cores = sorted(os.sched_getaffinity(0))
    with Valkey() as valkey, tempfile.TemporaryDirectory(prefix="bench-") as folder:
        port = free_port()
        web = start(
            ["taskset", "-c", str(cores[0]), sys.executable, "-m", "worker", "web"],
            web_environment(valkey, folder, port),
            Path(folder) / "web.log",
        )
        try:
            _until_up(port)
            cpu = cpu_seconds([web.pid])
            own = [f"--{name}={getattr(options, name)}" for name in ("rate", "seconds", "connections")]
            generator = subprocess.Popen(
                [sys.executable, "-m", "bench.webhooks", *own, f"--load={port}"],
                cwd=ROOT,
                stdout=subprocess.PIPE,
            )
            if options.fault != "none":
                disturb(valkey, options.fault, options.after, options.away)
            output, _ = generator.communicate()
            result = json.loads(output)
            drained = until_drained(port)
            cpu = cpu_seconds([web.pid]) - cpu
            held = memory([web.pid]).pss
            return _report(options, result, valkey, drained, cpu, held)
        finally:
            stop([web])


def _report(
    options: argparse.Namespace,
    result: dict[str, Any],
    valkey: Valkey,
    drained: float,
    cpu: float,
    held: float,
) -> dict[str, Any]:
    answers = result["answers"]
    statuses = Counter(status for _, _, status in answers)
    found = stored(valkey)
    kept = {number for number, _, status in answers if status == 200}
    first, last = options.after * options.rate, (options.after + options.away) * options.rate
    report = {
        "rate": options.rate,
        "fault": options.fault,
        "sent": len(answers),
        "statuses": dict(statuses),
        "all_ms": figures(answers),
        "lost": len(kept - found.keys()),
        "twice": sum(times - 1 for times in found.values()),
        "overtaken": overtaken(valkey),
        "cpu_ms_each": round(1000 * cpu / len(answers), 3),
        "pss_mb": round(held),
        "drained_after_s": round(drained, 1),
    }
    if options.fault != "none":
        report["before_ms"] = figures(answers, 0, first)
        report["away_ms"] = figures(answers, first, last)
        report["after_ms"] = figures(answers, last)
    return report


def _until_up(port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz"):
            return
        time.sleep(0.05)
    raise TimeoutError("the web process did not come up")


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    if options.load:
        found = uvloop.run(load(options.load, options.rate, options.seconds, options.connections))
        print(json.dumps(found))
        return 0
    report = run(options)
    print(json.dumps(report, indent=1))
    return 1 if report["lost"] or report["statuses"].keys() - {200} else 0


if __name__ == "__main__":
    sys.exit(main())
