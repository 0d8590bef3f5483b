"""Webhooks on disk: in order, whole, bounded, and found again by the next process."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.webhooks.raw_webhook import Event, pack, unpack
from worker.webhooks.spool import Spool, SpoolFull


def event(number: int, size: int = 10) -> Event:
    return Event("default", "whatsapp", number, b"x" * size + str(number).encode())


def drain(spool: Spool, most: int = 500) -> list[Event]:
    found = []
    while events := spool.head(most):
        found += events
        spool.taken()
    return found


@given(st.lists(st.binary(max_size=300), max_size=8), st.integers(0, 400))
def test_a_buffer_cut_anywhere_gives_the_whole_events_before_the_cut(bodies: list[bytes], cut: int) -> None:
    events = [Event("a_1", "rcs", number, body) for number, body in enumerate(bodies)]
    data = b"".join(map(pack, events))
    found = unpack(data[: max(0, len(data) - cut)], 100)
    assert found.events == events[: len(found.events)] and not found.broken
    assert unpack(data, 100).events == events


@given(st.binary(max_size=400))
def test_garbage_is_never_taken_for_an_event_nor_raises(data: bytes) -> None:
    assert unpack(data, 10).events == []


def test_events_come_out_in_order_and_nothing_stays_behind(tmp_path: Path) -> None:
    spool = Spool(tmp_path, segment_bytes=200)
    events = [event(number) for number in range(50)]
    for at in range(0, 50, 5):
        spool.append(events[at : at + 5])
    assert drain(spool, 3) == events
    assert spool.empty
    spool.close()
    assert list(tmp_path.iterdir()) == []


def test_what_is_appended_while_it_is_replayed_comes_after(tmp_path: Path) -> None:
    spool = Spool(tmp_path, segment_bytes=100)
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
        "from worker.webhooks.raw_webhook import Event;"
        "spool = Spool(Path(sys.argv[1])); spool.append([Event('default', 'whatsapp', n, b'b') for n in (1, 2, 3)]);"
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
    dead = tmp_path / "0-1-dead"
    dead.mkdir()
    (dead / "00000001.seg").write_bytes(pack(event(1)) + pack(event(2))[:-4])
    (dead / "00000002.seg").write_bytes(pack(event(3)))
    spool = Spool(tmp_path)
    spool.adopt()
    assert [each.at_ms for each in drain(spool)] == [1, 3]
    assert not dead.exists()


def test_a_damaged_rest_is_kept_aside(tmp_path: Path) -> None:
    dead = tmp_path / "0-1-dead"
    dead.mkdir()
    second = bytearray(pack(event(2)))
    second[-1] ^= 1
    (dead / "00000001.seg").write_bytes(pack(event(1)) + bytes(second) + pack(event(3)))
    spool = Spool(tmp_path)
    spool.adopt()
    assert [each.at_ms for each in drain(spool)] == [1]
    assert [file.suffix for file in dead.iterdir() if file.name != "lock"] == [".damaged"]


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


def test_a_disk_that_fails_takes_nothing_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path)
    spool.append([event(1)])
    sync = os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda handle: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(OSError, match="full"):
        spool.append([event(2)])
    monkeypatch.setattr(os, "fdatasync", sync)
    spool.append([event(3)])
    assert [each.at_ms for each in drain(spool)] == [1, 3]
