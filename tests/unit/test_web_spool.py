"""Webhooks on disk: in order, whole, bounded, and found again by the next process."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.webhooks.raw_webhook import RawWebhook
from worker.webhooks.spool import Spool, SpoolFull


def event(number: int, size: int = 10) -> RawWebhook:
    return RawWebhook("default", "whatsapp", number, b"x" * size + str(number).encode())


def drain(spool: Spool, most: int = 500) -> list[RawWebhook]:
    found = []
    while events := spool.head(most):
        found += events
        spool.taken()
    return found


def left_by_a_dead_process(root: Path, events: list[RawWebhook]) -> tuple[Path, Path]:
    """The database and its log, after a process that kept each by itself was killed."""
    code = (
        "import os, sys; from pathlib import Path; from worker.webhooks.spool import Spool;"
        "from worker.webhooks.raw_webhook import RawWebhook; spool = Spool(Path(sys.argv[1]));"
        f"[spool.append([RawWebhook(*each)]) for each in {[tuple(each) for each in events]!r}]; os._exit(0)"
    )
    earlier = set(root.iterdir())
    subprocess.run([sys.executable, "-c", code, str(root)], check=True)
    database, log = sorted(set(root.iterdir()) - earlier)
    return database, log


def write_log_into(database: Path) -> None:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def test_events_come_out_in_order_and_nothing_stays_behind(tmp_path: Path) -> None:
    spool = Spool(tmp_path, database_bytes=200)
    events = [event(number) for number in range(50)]
    for at in range(0, 50, 5):
        spool.append(events[at : at + 5])
    assert drain(spool, 3) == events
    assert spool.empty
    spool.close()
    assert list(tmp_path.iterdir()) == []


def test_what_is_appended_while_it_is_replayed_comes_after(tmp_path: Path) -> None:
    spool = Spool(tmp_path, database_bytes=100)
    spool.append([event(1), event(2)])
    first = spool.head(1)
    spool.append([event(3)])
    spool.taken()
    assert first + drain(spool) == [event(1), event(2), event(3)]


def test_what_was_not_taken_is_given_again(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append([event(1)])
    assert spool.head() == spool.head() == [event(1)]


def test_it_refuses_more_than_it_may_hold_and_takes_again_when_drained(tmp_path: Path) -> None:
    spool = Spool(tmp_path, most_bytes=1000)
    spool.append([event(1, 600)])
    with pytest.raises(SpoolFull):
        spool.append([event(2, 600)])
    assert drain(spool) == [event(1, 600)]
    spool.append([event(2, 600)])


def test_a_dead_processs_spool_is_adopted_before_our_own_and_a_living_ones_is_not(tmp_path: Path) -> None:
    code = (
        "import os, sys, time; from pathlib import Path; from worker.webhooks.spool import Spool;"
        "from worker.webhooks.raw_webhook import RawWebhook;"
        "spool = Spool(Path(sys.argv[1])); spool.append([RawWebhook('default', 'whatsapp', n, b'b') for n in (1, 2, 3)]);"
        "spool.head(1); spool.taken(); print('ready', flush=True); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    assert child.stdout is not None and child.stdout.readline()
    spool = Spool(tmp_path)
    spool.append([event(9)])
    assert spool.adopt() == 0
    child.kill()
    child.wait()
    assert spool.adopt() > 0
    assert [each.at_ms for each in drain(spool)] == [2, 3, 9]
    spool.close()
    assert list(tmp_path.iterdir()) == []


def test_a_torn_tail_is_dropped_and_what_follows_is_read(tmp_path: Path) -> None:
    _, log = left_by_a_dead_process(tmp_path, [event(1), event(2)])
    os.truncate(log, log.stat().st_size - 4)
    left_by_a_dead_process(tmp_path, [event(3)])
    spool = Spool(tmp_path)
    spool.adopt()
    assert [each.at_ms for each in drain(spool)] == [1, 3]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("checkpointed", [False, True])
def test_a_damaged_rest_is_kept_aside(tmp_path: Path, checkpointed: bool) -> None:
    database, log = left_by_a_dead_process(tmp_path, [event(1), event(2), event(3)])
    if checkpointed:
        write_log_into(database)
    file = database if checkpointed else log
    data = bytearray(file.read_bytes())
    data[data.index(event(2).body)] ^= 1
    file.write_bytes(data)
    spool = Spool(tmp_path)
    spool.adopt()
    assert [each.at_ms for each in drain(spool)] == [1]
    assert [each.suffix for each in tmp_path.iterdir()] == [".damaged"]


def test_what_is_no_database_is_kept_aside_and_the_rest_is_read(tmp_path: Path) -> None:
    (tmp_path / "0.db").write_bytes(b"no database" * 1000)
    left_by_a_dead_process(tmp_path, [event(1)])
    spool = Spool(tmp_path)
    assert spool.adopt() > 0 and drain(spool) == [event(1)]
    assert [each.suffix for each in tmp_path.iterdir()] == [".damaged"]


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes, bytes]:
    """What a dead process left: its database and log, and the database that its log is written into."""
    folder = tmp_path_factory.mktemp("left")
    database, log = left_by_a_dead_process(folder, [event(number) for number in range(8)])
    before, logged = database.read_bytes(), log.read_bytes()
    write_log_into(database)
    return before, logged, database.read_bytes()


@settings(deadline=None)
@given(st.data())
def test_whatever_is_damaged_or_cut_only_the_first_webhooks_come_out_and_nothing_raises(
    left: tuple[bytes, bytes, bytes], data: st.DataObject
) -> None:
    before, log, whole = left
    into_log, cut = data.draw(st.booleans()), data.draw(st.booleans())
    content = bytearray(log if into_log else whole)
    at = data.draw(st.integers(0, len(content) - 1))
    if cut:
        del content[at:]
    else:
        content[at] ^= data.draw(st.integers(1, 255))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "0.db"
        path.write_bytes(before if into_log else content)
        if into_log:
            path.with_name("0.db-wal").write_bytes(content)
        spool = Spool(Path(folder))
        spool.adopt()
        found = drain(spool)
        spool.close()
    assert found == [event(number) for number in range(8)][: len(found)]


def test_of_two_processes_each_gives_its_own_in_order_and_none_twice(tmp_path: Path) -> None:
    spools = [Spool(tmp_path), Spool(tmp_path)]
    for number in range(20):
        spools[number % 2].append([event(number)])
    assert [spool.adopt() for spool in spools] == [0, 0]
    assert [[each.at_ms for each in drain(spool)] for spool in spools] == [
        list(range(0, 20, 2)),
        list(range(1, 20, 2)),
    ]


def test_appending_and_replaying_at_once_loses_and_repeats_nothing(tmp_path: Path) -> None:
    spool, events, found = Spool(tmp_path), [event(number) for number in range(200)], []
    writer = threading.Thread(target=lambda: [spool.append([each]) for each in events])
    writer.start()
    while writer.is_alive() or not spool.empty:
        found += drain(spool, 3)
    assert found == events
    spool.close()
    assert list(tmp_path.iterdir()) == []


def test_with_a_full_disk_it_starts_all_the_same_and_keeps_once_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", full)
        spool = Spool(tmp_path)
        for keep in (spool.try_out, lambda: spool.append([event(1)])):
            with pytest.raises(OSError, match="full"):
                keep()
        assert spool.adopt() == 0 and spool.empty
    spool.try_out()
    spool.append([event(2)])
    assert drain(spool) == [event(2)]
    spool.close()
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fails_takes_nothing_half(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append([event(1)])
    (log,) = tmp_path.glob("*-wal")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size + 5000, before[1]))
    try:
        with pytest.raises(OSError, match="disk"):
            spool.append([event(2), event(2, 10_000)])
        given = spool.head(), spool.head()
        spool.taken()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert given == ([event(1)], [event(1)])
    spool.append([event(3)])
    assert [each.at_ms for each in drain(spool)] == [3]
    spool.close()
    assert list(tmp_path.iterdir()) == []
