"""The bench's own machinery: figures, tables, charts, and what it reads of processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import schemas
from bench import chart, processes, report, targets
from bench.__main__ import cells, chosen
from bench.call import payload
from bench.roster import PEERS
from tests.waiting import until


def test_the_job_is_the_documents_example_of_349_bytes() -> None:
    assert len(json.dumps(payload(), separators=(",", ":"))) == 349
    assert schemas.check("send_list", payload()) == []


def test_the_spread_is_median_lowest_and_highest() -> None:
    assert report.spread([3.0, 1.0, 2.0]) == {
        "median": 2.0,
        "low": 1.0,
        "high": 3.0,
        "rounds": [3.0, 1.0, 2.0],
    }


@pytest.mark.parametrize(
    ("values", "decimals", "text"),
    [([1234.5], 0, "1,234"), ([0.9, 1.1, 1.0], 1, "1.0 (0.9-1.1)")],
)
def test_a_figure_shows_its_spread_when_there_were_rounds(
    values: list[float], decimals: int, text: str
) -> None:
    assert report.shown(report.spread(values), decimals) == text


def test_a_figure_that_was_not_measured_is_a_dash() -> None:
    assert report.shown(None, 2) == "-"


def test_backlog_figures_carry_their_latency_and_others_do_not() -> None:
    run = report.Run()
    run.add("rq", 150, {"cpu_ms": 1.0, "bytes_waiting": 2.0, "enqueue_per_second": 3.0})
    run.add("rq", None, {"ready_seconds": 4.0})
    assert set(run.values["rq"]) == {"cpu_ms_150", "bytes_waiting", "enqueue_per_second", "ready_seconds"}


def test_every_peer_has_its_file_its_requirements_and_its_guarantee() -> None:
    for peer in PEERS:
        assert (processes.ROOT / "bench" / "peers" / f"{peer.module}.py").exists()
        assert peer.guarantee
        assert peer.workers(peer.slots[0]) and peer.workers(peer.slots[150])
        if peer.environment:
            assert (processes.ROOT / "requirements" / f"bench-{peer.environment}.in").exists()


def test_each_round_measures_each_peer_in_each_way_once_and_begins_with_another() -> None:
    order = list(cells(PEERS, 2))
    assert len(order) == len({(number, peer.name, latency) for number, peer, latency in order})
    assert len(order) == 2 * 3 * len(PEERS)
    assert order[0][1] is not order[len(order) // 2][1]


def test_an_unknown_peer_is_named() -> None:
    with pytest.raises(ValueError, match="unknown: sidekiq"):
        chosen("rq,sidekiq")


def test_a_chart_is_xml_with_a_bar_for_each_row_and_escapes_its_labels() -> None:
    drawn = chart.bars("A < B", [chart.Bar("x & y", 2.0, 1.0, 3.0, True), chart.Bar("z", 0.0, 0.0, 0.0)], 1)
    root = ElementTree.fromstring(drawn)
    space = "{http://www.w3.org/2000/svg}"
    assert [rect.get("class") for rect in root.iter(f"{space}rect")] == ["own", "bar"]
    assert [text.text for text in root.iter(f"{space}text")] == ["A < B", "x & y", "2.0", "z", "0.0"]


def test_cpu_of_ended_children_counts_and_odd_names_do_not_confuse() -> None:
    line = "7 (a) b) R 3 7 7 0 -1 4194304 9 9 0 0 150 50 100 200 20 0 1 0 5 6 7"
    assert processes.parse_stat(line) == (3, 500 / processes.TICK)


def test_a_whole_tree_is_measured_and_stopped(tmp_path: Path) -> None:
    child = "import time; time.sleep(60)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    started = processes.start([sys.executable, "-c", parent], os.environ, tmp_path / "log")
    try:
        pids = until(lambda: found if len(found := processes.tree([started.pid])) == 2 else [])
        assert processes.cpu_seconds([started.pid]) >= 0
        assert 0 < processes.memory([started.pid]).pss <= processes.memory([started.pid]).rss
    finally:
        processes.stop([started])

    def alive() -> list[str]:
        shown = subprocess.run(
            ["ps", "-o", "stat=", "-p", ",".join(map(str, pids))], capture_output=True, text=True
        )
        return [state for state in shown.stdout.split() if not state.startswith("Z")]

    until(lambda: not alive())


def results(**measures: float) -> dict[str, Any]:
    """Results of ours and of plain Celery with the same figures, but for ours times a half."""

    def peer(name: str, factor: float) -> dict[str, Any]:
        found = {key: report.spread([value * factor]) for key, value in measures.items()}
        return {"name": name, "title": name, "killed_worker": f"{name} is killed", "measures": found}

    on = {"processor": "P", "cores": 2}
    return {
        "date": "2026-11-23",
        "machine": on,
        "peers": [peer("ours", 0.5), peer("ours-bulk", 0.5), peer("celery-naive", 1.0)],
    }


def test_a_target_is_held_or_not_and_left_out_when_it_was_not_measured() -> None:
    found = targets.of_peers(results(cpu_ms_0=2.0, enqueue_per_second=1000.0))
    assert [(one.figure, one.held) for one in found] == [
        ("0.50", False),
        ("0.50", False),
        ("0.5", False),
        ("0.5", False),
    ]
    assert targets.of_peers(results(latency_p50_ms=7.0))[0].held


def test_the_readme_gets_its_table_between_its_marks_or_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readme = tmp_path / "README.md"
    monkeypatch.setattr(report, "README", readme)
    readme.write_text("before\n")
    report.write_readme(results(cpu_ms_0=2.0))
    assert readme.read_text() == "before\n"
    readme.write_text(f"before\n{report.SHORT_BEGIN}\nold\n{report.SHORT_END}\nafter\n")
    report.write_readme(results(cpu_ms_0=2.0))
    text = readme.read_text()
    assert text.startswith("before\n") and text.endswith("after\n") and "old" not in text
    assert "| celery-naive | 2.00 | - | - | - | - | celery-naive is killed |" in text
    assert "0.50 (at most 0.30)" in text


def test_growth_is_held_when_it_is_flat() -> None:
    flat = {"cpu_ms": 1.0, "redis_commands": 50.0, "rss_mb": 66.0}
    found = {
        "backlog": [{"waiting": 1_000, **flat}, {"waiting": 1_000_000, **flat, "cpu_ms": 1.2}],
        "memory": {"jobs": 100_000, "rss_ready_mb": 65.0, "rss_after_mb": 69.0},
        "idle": [{"calls_per_process": 8.8}, {"calls_per_process": 4.0}],
    }
    assert [one.held for one in targets.of_growth(found)] == [True, True, False, True, True, True]
