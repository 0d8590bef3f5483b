"""``python -m bench``: measure every peer, interleaved, and write the figures, the table and the charts."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench import environments, growth, growth_page, measure, report, targets
from bench.peer import Peer
from bench.processes import ROOT
from bench.roster import PEERS
from sandbox.control import Sandbox
from sandbox.valkey import Valkey

LATENCIES = (0, 150)


def parser() -> argparse.ArgumentParser:
    names = ", ".join(peer.name for peer in PEERS)
    made = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure this worker beside its peers on the same job.",
        epilog="example: python -m bench --quick --only ours,celery-naive",
    )
    made.add_argument("--quick", action="store_true", help="one short round, 3 minutes; writes no file")
    made.add_argument("--rounds", type=int, help="rounds at most (3; 1 with --quick)")
    made.add_argument("--only", help=f"comma separated: {names}")
    made.add_argument("--minutes", type=float, help="begin no peer after this long (10; 2.6 with --quick)")
    made.add_argument("--json", type=Path, help="write the figures here (bench/results.json unless --quick)")
    made.add_argument("--no-docs", action="store_true", help="leave docs/ and the README as they are")
    made.add_argument("--no-growth", action="store_true", help="leave out bench.growth (4 minutes)")
    return made


def chosen(only: str | None) -> list[Peer]:
    """The peers to measure; raises ``ValueError`` at an unknown name."""
    if not only:
        return PEERS
    wanted = {name.strip() for name in only.split(",")}
    if unknown := wanted - {peer.name for peer in PEERS}:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    return [peer for peer in PEERS if peer.name in wanted]


def cells(peers: list[Peer], rounds: int) -> Iterator[tuple[int, Peer, int | None]]:
    """Round, peer and latency (None: idle), so that each peer's figures are spread over the whole run."""
    for number in range(rounds):
        turn = number * 4 % len(peers)
        for latency in (*LATENCIES, None):
            for peer in peers[turn:] + peers[:turn]:
                yield number, peer, latency


def run(peers: list[Peer], rounds: int, seconds: float, samples: int, until: float) -> report.Run:
    """Measure; nothing new begins after ``until`` (monotonic). A peer that fails is left out from then on."""
    result = report.Run()
    rates = {(peer.name, latency): peer.rate[latency] for peer in peers for latency in LATENCIES}
    # Without latency_tracking off, a histogram for each command used would be counted as bytes of jobs.
    server, fake = Valkey(latency_tracking="no"), Sandbox(calls_per_minute=0, relaxed=True, keep_bodies=0)
    with server as valkey, fake as api, tempfile.TemporaryDirectory(prefix="bench-") as folder:
        place = measure.Place(valkey, api)
        for peer in peers:
            peer.surroundings(valkey.url, api.base_url, api.key, Path(folder))
        for number, peer, latency in cells(peers, rounds):
            if time.monotonic() > until:
                print(f"the time is up in round {number + 1}", file=sys.stderr)
                break
            if peer.name in result.failures:
                continue
            began = time.monotonic()
            try:
                if latency is None:
                    figures = measure.idle(peer, place, samples) | measure.queueing(peer, place, 20 * samples)
                else:
                    count = max(100, int(rates[peer.name, latency] * seconds / 0.85))
                    figures = measure.backlog(peer, place, latency, count)
                    rates[peer.name, latency] = figures["jobs_per_second"]
            except (measure.Stalled, RuntimeError) as failure:
                result.failures[peer.name] = str(failure)
                print(f"round {number + 1} {peer.name}: {failure}", file=sys.stderr)
                continue
            result.add(peer.name, latency, figures)
            took = time.monotonic() - began
            print(f"round {number + 1} {peer.name} {report.what(latency)}: {took:.1f} s", file=sys.stderr)
    return result


def main(arguments: list[str] | None = None) -> int:
    made = parser()
    options = made.parse_args(arguments)
    try:
        peers = chosen(options.only)
    except ValueError as error:
        made.error(str(error))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    for name in sorted({peer.environment for peer in peers if peer.environment}):
        if took := environments.prepare(name):
            print(f"environment {name}: {took:.0f} s", file=sys.stderr)
    began = time.monotonic()
    until = began + 60 * (options.minutes or (2.6 if options.quick else 10))
    rounds = options.rounds or (1 if options.quick else 3)
    seconds, samples = (1.5, 40) if options.quick else (4.0, 150)
    result = run(peers, rounds, seconds, samples, until)
    results = report.summary(result, peers, time.monotonic() - began)
    print(report.table(results))
    print("\n".join(targets.markdown(targets.of_peers(results))))
    path = options.json or (None if options.quick else ROOT / "bench" / "results.json")
    if path:
        path.write_text(json.dumps(results, indent=1) + "\n")
    if not options.quick and not options.no_docs:
        report.write_docs(results)
    if not (options.quick or options.no_growth or options.only):
        found = growth.run()
        print(growth_page.markdown(found))
        growth.PATH.write_text(json.dumps(found, indent=1) + "\n")
        if not options.no_docs:
            growth_page.write(found)
    return 1 if result.failures else 0


if __name__ == "__main__":
    sys.exit(main())
